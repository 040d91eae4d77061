"""What the recording rules make of series, as promtool evaluates them: each recorded name is looked at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from monitoring.recording import Recording
from tests.monitoring.case import NAMED, PREDICTOR, TRANSFORMER, counted, histogram, series, target
from tests.monitoring.promtool import complaints_of, needed, rules

POD = target("predictor")
OLD, NEW = (f'{PREDICTOR}, revision="r{number}", model_version="v{number}"' for number in (1, 2))
KNATIVE = 'k8s_namespace_name="photos", kn_service_name="image-classifier-predictor", kn_revision_name="r1"'
HPA = 'namespace="photos", horizontalpodautoscaler="image-classifier-predictor"'
OF_KNATIVE = f'{PREDICTOR}, revision="r1"'

ASKED = {
    series("classifier_requests_total", TRANSFORMER, 'outcome="success"'): counted(540),
    series("classifier_requests_total", TRANSFORMER, 'outcome="client_error"'): counted(30),
    series("classifier_requests_total", TRANSFORMER, 'outcome="server_error"'): counted(30),
}
UNFAILING = {series("classifier_requests_total", TRANSFORMER, 'outcome="success"'): counted(600)}
TIMED = histogram(
    "classifier_request_duration_seconds",
    f'{TRANSFORMER}, outcome="success"',
    {"0.05": 300, "0.1": 540, "0.5": 600, "+Inf": 600},
) | histogram(
    "classifier_request_duration_seconds",
    f'{TRANSFORMER}, outcome="server_error"',
    {"0.05": 0, "0.1": 0, "0.5": 0, "+Inf": 600},
)
REVISIONS = (
    {
        series("classifier_requests_total", labels, f'outcome="{outcome}"'): counted(count)
        for labels, outcome, count in (
            (OLD, "success", 180),
            (OLD, "server_error", 0),
            (NEW, "success", 45),
            (NEW, "server_error", 15),
        )
    }
    | histogram(
        "classifier_request_duration_seconds", f'{OLD}, outcome="success"', {"0.1": 180, "0.2": 180, "+Inf": 180}
    )
    | histogram("classifier_request_duration_seconds", f'{NEW}, outcome="success"', {"0.1": 0, "0.2": 60, "+Inf": 60})
)


class Recorded(NamedTuple):
    """At minute 30 the series `name` with `labels` is `value`."""

    name: str
    labels: str
    given: Mapping[str, str]
    value: float


def _pods(**of_knative: int) -> dict[str, str]:
    return {series(f"kn_revision_pods_{name}", KNATIVE): f"{pods}x60" for name, pods in of_knative.items()}


AVAILABILITY, LATENCY = f'{TRANSFORMER}, slo="availability"', f'{TRANSFORMER}, slo="latency"'
_BAD, _BURN = "component:classifier_slo_bad_requests", "component:classifier_error_budget_burn"
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")

TABLE = [
    Recorded("component:classifier_requests:rate5m", TRANSFORMER, ASKED, 10),
    Recorded("component:classifier_request_duration_seconds:p50_5m", TRANSFORMER, TIMED, 0.05),
    Recorded("component:classifier_request_duration_seconds:p95_5m", TRANSFORMER, TIMED, 0.3),
    Recorded("component:classifier_request_duration_seconds:p99_5m", TRANSFORMER, TIMED, 0.46),
    Recorded("slo:classifier_objective:ratio", 'slo="availability"', {}, 0.999),
    Recorded("slo:classifier_objective:ratio", 'slo="latency"', {}, 0.95),
    Recorded("slo:classifier_error_budget:ratio", 'slo="latency"', {}, 0.05),
    Recorded("component:classifier_slo_requests:rate5m", AVAILABILITY, ASKED, 10),
    Recorded("component:classifier_slo_requests:rate5m", LATENCY, TIMED, 10),
    Recorded(f"{_BAD}:rate5m", AVAILABILITY, ASKED, 0.5),
    Recorded(f"{_BAD}:rate5m", AVAILABILITY, UNFAILING, 0),
    Recorded(f"{_BAD}:rate5m", LATENCY, TIMED, 1),
    *(Recorded(f"{_BAD}:ratio_rate{window}", AVAILABILITY, ASKED, 0.05) for window in _WINDOWS),
    *(Recorded(f"{_BAD}:ratio_rate{window}", LATENCY, TIMED, 0.1) for window in _WINDOWS),
    *(Recorded(f"{_BURN}:ratio_rate{window}", AVAILABILITY, ASKED, 50) for window in _WINDOWS),
    *(Recorded(f"{_BURN}:ratio_rate{window}", LATENCY, TIMED, 2) for window in _WINDOWS),
    Recorded("component:classifier_error_budget_remaining:ratio", AVAILABILITY, UNFAILING, 1),
    Recorded("component:classifier_error_budget_remaining:ratio", LATENCY, TIMED, -1),
    Recorded(
        "instance:classifier_cpu_usage:ratio_rate5m",
        POD,
        {series("process_cpu_seconds_total", POD): counted(30), series("classifier_cpu_limit_cores", POD): "2x60"},
        0.25,
    ),
    Recorded(
        "instance:classifier_memory_usage:ratio",
        POD,
        {
            series("process_resident_memory_bytes", POD): "300x60",
            series("classifier_memory_limit_bytes", POD): "400x60",
        },
        0.75,
    ),
    Recorded(
        "instance:classifier_event_loop_lag_seconds:p99_5m",
        POD,
        histogram("classifier_event_loop_lag_seconds", POD, {"0.1": 98, "0.2": 100, "+Inf": 100}),
        0.15,
    ),
    Recorded(
        "model:classifier_top1_confidence_ratio:mean_rate1h",
        f'{NAMED}, model_version="v1"',
        {
            series("classifier_top1_confidence_ratio_sum", OLD): counted(15),
            series("classifier_top1_confidence_ratio_count", OLD): counted(20),
        },
        0.75,
    ),
    Recorded(
        "model:classifier_predictions:increase1h",
        f'{NAMED}, model_version="v1"',
        {series("classifier_predictions_total", OLD): counted(20)},
        600,
    ),
    Recorded("revision:classifier_requests:rate15m", OLD, REVISIONS, 3),
    Recorded("others:classifier_requests:rate15m", OLD, REVISIONS, 1),
    Recorded("revision:classifier_failed_requests:rate15m", NEW, REVISIONS, 0.25),
    Recorded("others:classifier_failed_requests:rate15m", OLD, REVISIONS, 0.25),
    Recorded("revision:classifier_failed_requests:ratio_rate15m", NEW, REVISIONS, 0.25),
    Recorded("others:classifier_failed_requests:ratio_rate15m", NEW, REVISIONS, 0),
    Recorded("revision:classifier_request_duration_seconds_bucket:rate15m", f'{NEW}, le="0.2"', REVISIONS, 1),
    Recorded("others:classifier_request_duration_seconds_bucket:rate15m", f'{NEW}, le="0.1"', REVISIONS, 3),
    Recorded("revision:classifier_request_duration_seconds:p95_15m", NEW, REVISIONS, 0.195),
    Recorded("others:classifier_request_duration_seconds:p95_15m", NEW, REVISIONS, 0.095),
    *(
        Recorded(f"revision:kn_revision_pods_{ours}:max", OF_KNATIVE, {series(theirs, KNATIVE): "3x60"}, 3)
        for ours, theirs in (
            ("desired", "kn_revision_pods_desired"),
            ("requested", "kn_revision_pods_requested"),
            ("ready", "kn_revision_pods_count"),
            ("not_ready", "kn_revision_pods_not_ready_count"),
            ("pending", "kn_revision_pods_pending_count"),
        )
    ),
    *(
        Recorded(
            f"component:kube_horizontalpodautoscaler_{ours}_replicas:max",
            PREDICTOR,
            {series(f"kube_horizontalpodautoscaler_{theirs}", HPA): "3x60"},
            3,
        )
        for ours, theirs in (
            ("desired", "status_desired_replicas"),
            ("min", "spec_min_replicas"),
            ("max", "spec_max_replicas"),
        )
    ),
    *(
        Recorded("component:autoscaled_pods:max", PREDICTOR, given, pods)
        for given, pods in (
            (_pods(requested=0), 0),
            (_pods(requested=2, count=1), 2),
            (_pods(requested=0, count=0, not_ready_count=0, pending_count=0), 0),
            (_pods(requested=0, count=3), 3),
            (_pods(requested=0, not_ready_count=4), 4),
            (_pods(requested=0, pending_count=5), 5),
            ({series("kube_horizontalpodautoscaler_status_desired_replicas", HPA): "6x60"}, 6),
        )
    ),
]


@pytest.mark.parametrize("recorded", TABLE, ids=lambda recorded: f"{recorded.name} {recorded.labels}")
def test_a_series_is_recorded_as_promised(recorded: Recorded, tmp_path: Path) -> None:
    wanted = [rule for rule in rules() if isinstance(rule, Recording) and rule.record == recorded.name]
    given = list(dict.fromkeys(rule for each in wanted for rule in needed(each)))
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in recorded.given.items()],
        "promql_expr_test": [
            {
                "expr": f"round({series(recorded.name, recorded.labels)}, 0.0001)",  # sums of floats are not exact
                "eval_time": "30m",
                "exp_samples": [{"labels": f"{{{recorded.labels}}}", "value": recorded.value}],
            }
        ],
    }
    assert complaints_of([test], given, tmp_path) == ""


def test_every_recorded_name_is_in_the_table() -> None:
    assert {recorded.name for recorded in TABLE} == {rule.record for rule in rules() if isinstance(rule, Recording)}
