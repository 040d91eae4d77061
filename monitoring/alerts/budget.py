"""The error budgets of both objectives, each over the windows of monitoring/objectives.py."""

from collections.abc import Iterator

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import Alert
from monitoring.objectives import BURNS, PERIOD, Burn

_BURN = "component:classifier_error_budget_burn:ratio_rate"

_SLOS = {
    "availability": ("AvailabilityBudgetBurn", "Failing requests use up the error budget too fast."),
    "latency": ("LatencyBudgetBurn", "Slow requests use up the error budget too fast."),
}


def alerts() -> Iterator[Alert]:
    """For each objective and pair of windows one; those of a name differ in `window`."""
    for slo, (name, summary) in _SLOS.items():
        yield from (_alert(slo, name, summary, burn) for burn in BURNS)


def _alert(slo: str, name: str, summary: str, burn: Burn) -> Alert:
    return Alert(
        name=name,
        # The long window says that it matters, the short one that it goes on.
        expr=" and ".join(f'{_BURN}{window}{{slo="{slo}"}} > {burn.factor}' for window in (burn.long, burn.short)),
        lasting=burn.lasting,
        severity=burn.severity,
        summary=summary,
        description=f"The {WHO} uses up its {slo} budget {{{{ $value | humanize }}}} times as fast as would be even "
        f"over {PERIOD} (last {burn.long}; over {burn.factor:g}).",
        labels=(("window", burn.long),),
    )


ALERTS = tuple(alerts())
