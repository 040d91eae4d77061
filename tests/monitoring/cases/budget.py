"""The error budgets: for each objective and pair of windows above, below, and above in one window alone."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.monitoring.case import PREDICTOR, TRANSFORMER, Case, Firing, series


class Pair(NamedTuple):
    """As the objectives are documented, not as they are coded; times in minutes."""

    long: str
    long_minutes: int
    factor: float
    short_minutes: int
    lasting_minutes: int
    every: str = "1m"


PAIRS = (
    Pair("1h", 60, 14.4, 5, 2),
    Pair("6h", 360, 6, 30, 15),
    Pair("1d", 1440, 3, 120, 60, every="4m"),
    Pair("3d", 4320, 1, 360, 180, every="4m"),
)
BUDGETS = {"availability": 0.001, "latency": 0.05}
ALL_BAD = {"availability": "1000", "latency": "20"}
"""How many times too fast that is."""
A_MINUTE = 1_000_000


class Phase(NamedTuple):
    minutes: int
    burn: float


def _availability(phases: list[Phase], step: int) -> dict[str, str]:
    failed = [Phase(each.minutes, each.burn * BUDGETS["availability"]) for each in phases]
    good = [Phase(each.minutes, 1 - each.burn) for each in failed]
    return {
        series("classifier_requests_total", TRANSFORMER, 'outcome="server_error"'): _counter(failed, step),
        series("classifier_requests_total", TRANSFORMER, 'outcome="success"'): _counter(good, step),
    }


def _latency(phases: list[Phase], step: int) -> dict[str, str]:
    quick = [Phase(each.minutes, 1 - each.burn * BUDGETS["latency"]) for each in phases]
    of = "classifier_request_duration_seconds"
    return {
        series(f"{of}_bucket", TRANSFORMER, 'outcome="success", le="0.1"'): _counter(quick, step),
        series(f"{of}_count", TRANSFORMER, 'outcome="success"'): _counter(
            [Phase(each.minutes, 1) for each in phases], step
        ),
    }


def _counter(phases: list[Phase], step: int) -> str:
    """Grows in each phase by its share of the requests."""
    parts, value = [], 0
    for minutes, share in phases:
        grown = round(share * A_MINUTE * step)
        steps = minutes // step
        parts.append(f"{value}+{grown}x{steps - 1}")
        value += grown * steps
    return " ".join(parts)


def _cases(slo: str, alert: str) -> Iterator[Case]:
    for pair in PAIRS:
        factor, short, lasting = pair.factor, pair.short_minutes, pair.lasting_minutes
        step = int(pair.every.removesuffix("m"))
        make = _availability if slo == "availability" else _latency
        fires = _fires(slo, pair, f"{1.05 * factor:.4g}")
        end = 6 * short + lasting + 12
        for what, phases, minute, firing in (
            ("in both windows", [Phase(end, 1.05 * factor)], lasting + 2 * step, fires),
            ("in both windows, not yet for long", [Phase(end, 1.05 * factor)], lasting, ()),
            ("in no window", [Phase(end, 0.95 * factor)], end, ()),
            (
                "in the short window alone",
                [Phase(4 * short, 0.85 * factor), Phase(end - 4 * short, 1.05 * factor)],
                end - step,
                (),
            ),
            (
                "in the long window alone",
                [Phase(4 * short, 1.35 * factor), Phase(end - 4 * short, 0.9 * factor)],
                end - step,
                (),
            ),
            ("after all requests ended", [Phase(4 * short, 0)], end, ()),
        ):
            yield Case(
                alert,
                f"{pair.long}: {what}",
                make(phases, step),
                f"{minute}m",
                firing,
                pair.every,
                f'window="{pair.long}"',
            )


def _few(slo: str, alert: str) -> Iterator[Case]:
    """Every request is bad, but there are few."""
    for pair in PAIRS:
        step = int(pair.every.removesuffix("m"))
        steps, end = pair.long_minutes // step, f"{pair.long_minutes + pair.lasting_minutes + 12}m"
        for what, values, firing in (
            ("9 bad requests", f"0+{9 / steps}x{2 * steps}", ()),
            ("10 bad requests", f"0+{10 / steps}x{2 * steps}", _fires(slo, pair, ALL_BAD[slo])),
        ):
            yield Case(
                alert, f"{pair.long}: {what}", _bad(slo, values), end, firing, pair.every, f'window="{pair.long}"'
            )
        for minute in (10 + pair.lasting_minutes, 16 + pair.lasting_minutes):
            yield Case(
                alert,
                f"{pair.long}: one bad request, nobody else asks",
                _bad(slo, f"0x{8 // step} 1x{steps}"),
                f"{minute}m",
                (),
                pair.every,
                f'window="{pair.long}"',
            )


def _bad(slo: str, values: str) -> dict[str, str]:
    """Requests that are all bad."""
    if slo == "availability":
        return {series("classifier_requests_total", TRANSFORMER, 'outcome="server_error"'): values}
    of = "classifier_request_duration_seconds"
    return {
        series(f"{of}_bucket", TRANSFORMER, 'outcome="success", le="0.1"'): "0x9999",
        series(f"{of}_count", TRANSFORMER, 'outcome="success"'): values,
    }


def _fires(slo: str, pair: Pair, times: str) -> tuple[Firing, ...]:
    says = (
        f"The transformer of photos/image-classifier uses up its {slo} budget {times} times as fast as "
        f"would be even over 30d (last {pair.long}; over {pair.factor:g})."
    )
    return (Firing(f'{TRANSFORMER}, slo="{slo}", window="{pair.long}"', says),)


CASES = [
    *_cases("availability", "AvailabilityBudgetBurn"),
    *_cases("latency", "LatencyBudgetBurn"),
    *_few("availability", "AvailabilityBudgetBurn"),
    *_few("latency", "LatencyBudgetBurn"),
    Case(
        "AvailabilityBudgetBurn",
        "clients err and leave",
        {
            series("classifier_requests_total", PREDICTOR, 'outcome="client_error"'): "0+50x30",
            series("classifier_requests_total", PREDICTOR, 'outcome="cancelled"'): "0+50x30",
        },
        "20m",
        of='window="1h"',
    ),
]
