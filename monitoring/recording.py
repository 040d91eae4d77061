"""Series that are worked out once, for the alerts and the boards: level:metric:operation.

Levels: `component` (of an InferenceService, in its namespace), `revision` (of a component; with the model's version,
since without Knative that alone tells a canary from the rest), `others` (all other revisions beside the one that is
named), `model` (a version of the model, whatever serves it), `instance` (a process), `slo` (an objective).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitoring.objectives import PERIOD, WINDOWS, Objectives

COMPONENT = "namespace, inference_service, component"
"""Without a cluster there is no namespace, and aggregations and matches go without it."""
REVISION = f"{COMPONENT}, revision, model_version"

TARGETS = '{job="image-classifier"}'
"""What is scraped of our own processes."""

FAILED = '{outcome="server_error"}'
JUDGED = '{outcome!~".+_error"}'
"""Whose time counts: what was failed is judged as such, however fast; who left had waited."""

CANARY_WINDOW = "15m"
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Recording:
    """One series, or one for each value of `labels`."""

    record: str
    expr: str
    labels: tuple[tuple[str, str], ...] = ()


def requests() -> Iterator[Recording]:
    """Rate and latency of each component."""
    yield Recording("component:classifier_requests:rate5m", _rate("classifier_requests_total"))
    buckets = _rate("classifier_request_duration_seconds_bucket", JUDGED, f"{COMPONENT}, le")
    for name, quantile in QUANTILES.items():
        yield Recording(
            f"component:classifier_request_duration_seconds:{name}_5m", f"histogram_quantile({quantile}, {buckets})"
        )


def objectives(of: Objectives) -> Iterator[Recording]:
    """The promises, and for each what was good and bad, as rates that are 0 and never NaN while nobody asks."""
    for slo, share in of.shares.items():
        yield Recording("slo:classifier_objective:ratio", f"vector({share})", (("slo", slo),))
    yield Recording("slo:classifier_error_budget:ratio", "1 - slo:classifier_objective:ratio")
    duration = "classifier_request_duration_seconds"
    quick = _rate(f"{duration}_bucket", _and(JUDGED, f'le="{of.latency_edge}"'))
    everything = _rate("classifier_requests_total")
    judged = _rate(f"{duration}_count", JUDGED)
    yield from (
        Recording("component:classifier_slo_requests:rate5m", everything, (("slo", "availability"),)),
        Recording("component:classifier_slo_requests:rate5m", judged, (("slo", "latency"),)),
        Recording(
            "component:classifier_slo_bad_requests:rate5m",
            f"{_rate('classifier_requests_total', FAILED)}\nor 0 * {everything}",
            (("slo", "availability"),),
        ),
        Recording("component:classifier_slo_bad_requests:rate5m", f"{judged} - {quick}", (("slo", "latency"),)),
    )


def budgets() -> Iterator[Recording]:
    """The share of bad requests over each window, weighted by requests, and how fast that uses the budget up."""
    bad, asked = "component:classifier_slo_bad_requests:rate5m", "component:classifier_slo_requests:rate5m"
    for window in (*WINDOWS, PERIOD):
        ratio = f"component:classifier_slo_bad_requests:ratio_rate{window}"
        yield Recording(
            ratio,
            f"{bad} / {asked}"
            if window == "5m"
            else f"sum_over_time({bad}[{window}]) / sum_over_time({asked}[{window}])",
        )
        yield Recording(
            f"component:classifier_error_budget_burn:ratio_rate{window}",
            f"{ratio} / on (slo) group_left () slo:classifier_error_budget:ratio",
        )
    yield Recording(
        "component:classifier_error_budget_remaining:ratio",
        f"1 - component:classifier_error_budget_burn:ratio_rate{PERIOD}",
    )


def resources() -> Iterator[Recording]:
    """Of each process, which has its container for itself."""
    yield Recording(
        "instance:classifier_cpu_usage:ratio_rate5m",
        f"rate(process_cpu_seconds_total{TARGETS}[5m]) / classifier_cpu_limit_cores",
    )
    yield Recording(
        "instance:classifier_memory_usage:ratio",
        f"process_resident_memory_bytes{TARGETS} / classifier_memory_limit_bytes",
    )
    yield Recording(
        "instance:classifier_event_loop_lag_seconds:p99_5m",
        "histogram_quantile(0.99, rate(classifier_event_loop_lag_seconds_bucket[5m]))",
    )


def confidence() -> Iterator[Recording]:
    """Of each version of the model."""
    by = "namespace, inference_service, model_version"
    total, count = (_rate(f"classifier_top1_confidence_ratio_{part}", by=by, window="1h") for part in ("sum", "count"))
    yield Recording("model:classifier_top1_confidence_ratio:mean_rate1h", f"{total} / ({count} > 0)")
    yield Recording(
        "model:classifier_predictions:increase1h",
        f"sum by ({by}) (increase(classifier_predictions_total[1h]))",
    )


def canaries() -> Iterator[Recording]:
    """Each of the predictor's revisions beside all others of the same predictor together."""
    window = CANARY_WINDOW
    of = '{component="predictor", model_version!=""}'  # without a version it was not loaded yet
    failed, judged = (_and(matchers, of) for matchers in (FAILED, JUDGED))
    asked, bad = f"classifier_requests:rate{window}", f"classifier_failed_requests:rate{window}"
    buckets = f"classifier_request_duration_seconds_bucket:rate{window}"
    everything = _rate("classifier_requests_total", of, REVISION, window)
    yield Recording(f"revision:{asked}", everything)
    yield Recording(
        f"revision:{bad}",
        f"{_rate('classifier_requests_total', failed, REVISION, window)}\nor 0 * {everything}",
    )
    yield Recording(
        f"revision:{buckets}",
        _rate("classifier_request_duration_seconds_bucket", judged, f"{REVISION}, le", window),
    )
    yield from (_others(name, labels) for name, labels in ((asked, ""), (bad, ""), (buckets, ", le")))
    for level in ("revision", "others"):
        yield Recording(f"{level}:classifier_failed_requests:ratio_rate{window}", f"{level}:{bad} / {level}:{asked}")
        yield Recording(
            f"{level}:classifier_request_duration_seconds:p95_{window}",
            f"histogram_quantile(0.95, {level}:{buckets})",
        )


def _others(name: str, labels: str) -> Recording:
    """What all have together, less one's own, where there is another."""
    own = f"revision:{name}"
    return Recording(
        f"others:{name}",
        f"(sum by ({COMPONENT}{labels}) ({own}) - on ({COMPONENT}{labels}) group_right () {own})\n"
        f"and on ({COMPONENT}) count by ({COMPONENT}) (revision:classifier_requests:rate{CANARY_WINDOW}) > 1",
    )


def autoscaling() -> Iterator[Recording]:
    """The autoscalers' own series under our labels; only a cluster has them."""
    for name, metric in {
        "desired": "kn_revision_pods_desired",
        "requested": "kn_revision_pods_requested",
        "ready": "kn_revision_pods_count",
        "not_ready": "kn_revision_pods_not_ready_count",
        "pending": "kn_revision_pods_pending_count",
    }.items():
        expr = _of_component(metric, "kn_service_name")
        for ours, theirs in (("namespace", "k8s_namespace_name"), ("revision", "kn_revision_name")):
            expr = f'label_replace({expr}, "{ours}", "$1", "{theirs}", "(.*)")'
        yield Recording(f"revision:kn_revision_pods_{name}:max", f"max by ({COMPONENT}, revision) ({expr})")
    for name, metric in {
        "desired": "status_desired_replicas",
        "min": "spec_min_replicas",
        "max": "spec_max_replicas",
    }.items():
        expr = _of_component(f"kube_horizontalpodautoscaler_{metric}", "horizontalpodautoscaler")
        yield Recording(f"component:kube_horizontalpodautoscaler_{name}_replicas:max", f"max by ({COMPONENT}) ({expr})")
    yield Recording("component:autoscaled_pods:max", _autoscaled())


def _autoscaled() -> str:
    """What an autoscaler wants, has or waits for: 0 says that there shall be no pod, nothing that nobody knows."""
    of_knative = [
        f"max by ({COMPONENT}) (revision:kn_revision_pods_{name}:max)"
        for name in ("requested", "ready", "not_ready", "pending")
    ]
    # That 0 are requested is believed when there is none left, either.
    return "\nor ".join(
        (
            *(f"{pods} > 0" for pods in of_knative),
            of_knative[0],
            "component:kube_horizontalpodautoscaler_desired_replicas:max",
        )
    )


def _of_component(metric: str, name: str) -> str:
    """With the labels of our targets, told from a name that KServe gives: the InferenceService's, and what it is."""
    pattern = "(.+)-(predictor|transformer)"
    expr = f'{metric}{{{name}=~"{pattern}"}}'
    for label, part in (("inference_service", "$1"), ("component", "$2")):
        expr = f'label_replace({expr}, "{label}", "{part}", "{name}", "{pattern}")'
    return expr


def _rate(counter: str, matchers: str = "", by: str = COMPONENT, window: str = "5m") -> str:
    return f"sum by ({by}) (rate({counter}{matchers}[{window}]))"


def _and(matchers: str, more: str) -> str:
    return f"{{{matchers.strip('{}')}, {more.strip('{}')}}}"
