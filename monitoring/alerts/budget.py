"""The error budgets of both objectives, each over the windows of monitoring/objectives.py."""

from collections.abc import Iterator

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import Alert
from monitoring.objectives import BURNS, PERIOD, Burn
from monitoring.recording import COMPONENT

ENOUGH_BAD = 10
"""In the long window; with fewer a cold start, or one caller who met one slow moment, would wake somebody."""

_BURN = "component:classifier_error_budget_burn:ratio_rate"
_BAD = "component:classifier_slo_bad_requests:rate5m"

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
        # The long window says that it matters, the short one that it goes on. Steps of a minute make a sum a count,
        # whatever the interval of the rules and however young the series.
        expr=f"""{_BURN}{burn.long}{{slo="{slo}"}} > {burn.factor}
and {_BURN}{burn.short}{{slo="{slo}"}} > {burn.factor}
and on ({COMPONENT}) 60 * sum_over_time({_BAD}{{slo="{slo}"}}[{burn.long}:1m]) >= {ENOUGH_BAD}""",
        lasting=burn.lasting,
        severity=burn.severity,
        summary=summary,
        description=f"The {WHO} uses up its {slo} budget {{{{ $value | humanize }}}} times as fast as would be even "
        f"over {PERIOD} (last {burn.long}; over {burn.factor:g}).",
        labels=(("window", burn.long),),
    )


ALERTS = tuple(alerts())
