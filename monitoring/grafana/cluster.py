"""What only a cluster has, as rows for a board; monitoring/cluster_metrics.py says who exports it."""

from monitoring.grafana import limits
from monitoring.grafana.grid import row
from monitoring.grafana.panels import Query, timeseries
from monitoring.grafana.promql import AUTOSCALERS, PODS, REVISIONS, quantile, rate, select

PROXY = "kn_serving_invocation_duration_seconds"
REPLICAS = {"status_current": "current", "status_desired": "desired", "spec_max": "limit"}
RESTARTS = select("kube_pod_container_status_restarts_total", PODS)
KILLED = select("kube_pod_container_status_last_terminated_reason", PODS, 'reason="OOMKilled"')
SERVER = 'container="kserve-container"'


def _of_revision(metric: str, operator: str = "sum") -> str:
    return f"{operator} by (kn_revision_name) ({select(metric, REVISIONS)})"


def _of_pod(counter: str, *matchers: str) -> str:
    return f"sum by (pod) (rate({select(counter, PODS, *matchers)}[$__rate_interval]))"


AUTOSCALING = row(
    "Autoscaling (with Knative)",
    timeseries(
        "Pods",
        "none",
        "What the autoscaler wants, asked for and has: kn_revision_pods_desired, kn_revision_pods_requested and "
        "kn_revision_pods_count.",
        *(
            Query(
                _of_revision(f"kn_revision_pods_{which}"),
                f"{{{{kn_revision_name}}}} {which}",
            )
            for which in ("desired", "requested", "count")
        ),
    ),
    timeseries(
        "Pods on their way",
        "none",
        "Not ready, pending and terminating: kn_revision_pods_not_ready_count, kn_revision_pods_pending_count and "
        "kn_revision_pods_terminating_count.",
        *(
            Query(
                _of_revision(f"kn_revision_pods_{which}_count"),
                f"{{{{kn_revision_name}}}} {which.replace('_', ' ')}",
            )
            for which in ("not_ready", "pending", "terminating")
        ),
    ),
    timeseries(
        "Concurrency of a pod",
        "none",
        "Over the stable and the panic window, beside the target: kn_revision_concurrency_stable, "
        "kn_revision_concurrency_panic and kn_revision_concurrency_target.",
        *(
            Query(
                _of_revision(f"kn_revision_concurrency_{which}", "max"),
                f"{{{{kn_revision_name}}}} {which}",
            )
            for which in ("stable", "panic", "target")
        ),
    ),
    timeseries(
        "Panic mode",
        "bool",
        "1 while the autoscaler follows the panic window: kn_revision_panic_mode.",
        Query(_of_revision("kn_revision_panic_mode", "max")),
    ),
    timeseries(
        "Excess burst capacity",
        "none",
        "Requests that the pods could take on; below 0 the activator stays in the path: kn_revision_capacity_excess.",
        Query(_of_revision("kn_revision_capacity_excess", "min")),
    ),
    timeseries(
        "Requests in the activator",
        "none",
        "Requests that go through Knative's activator, where they wait for a pod: kn_revision_request_concurrency.",
        Query(_of_revision("kn_revision_request_concurrency")),
    ),
    timeseries(
        "Requests in queue-proxy",
        "reqps",
        "By revision and status: kn_serving_invocation_duration_seconds.",
        Query(
            rate(f"{PROXY}_count", by="http_response_status_code, revision"),
            "{{revision}} {{http_response_status_code}}",
        ),
    ),
    timeseries(
        "Latency in queue-proxy",
        "s",
        "95th percentile by revision, with the time that a request waited for the container: "
        "kn_serving_invocation_duration_seconds.",
        Query(quantile(0.95, PROXY, by="revision"), "{{revision}}"),
        limits=limits.LATENCY,
    ),
    timeseries(
        "Replicas (without Knative)",
        "none",
        "Of the HorizontalPodAutoscaler in Standard mode: kube_horizontalpodautoscaler_status_current_replicas, "
        "kube_horizontalpodautoscaler_status_desired_replicas and kube_horizontalpodautoscaler_spec_max_replicas.",
        *(
            Query(
                select(f"kube_horizontalpodautoscaler_{which}_replicas", AUTOSCALERS),
                f"{{{{horizontalpodautoscaler}}}} {legend}",
            )
            for which, legend in (
                ("status_current", "current"),
                ("status_desired", "desired"),
                ("spec_max", "limit"),
            )
        ),
    ),
)

CONTAINERS = row(
    "Containers (in a cluster)",
    timeseries(
        "Restarts",
        "none",
        "Within an hour: kube_pod_container_status_restarts_total.",
        Query(
            f"sum by (container, pod) (increase({RESTARTS}[1h]))",
            "{{pod}} {{container}}",
        ),
        limits=limits.ANY,
    ),
    timeseries(
        "Ended for lack of memory",
        "none",
        "Containers whose last end was OOMKilled: kube_pod_container_status_last_terminated_reason.",
        Query(
            f"sum by (container, pod) ({KILLED})",
            "{{pod}} {{container}}",
        ),
        limits=limits.ANY,
    ),
    timeseries(
        "CPU throttled",
        "percentunit",
        "Share of the scheduler's periods in which a container was held back: "
        "container_cpu_cfs_throttled_periods_total and container_cpu_cfs_periods_total.",
        Query(
            f"{_of_pod('container_cpu_cfs_throttled_periods_total', SERVER)} / "
            f"{_of_pod('container_cpu_cfs_periods_total', SERVER)}",
            "{{pod}}",
        ),
    ),
    *(
        timeseries(
            f"Network, {way}",
            "Bps",
            f"By pod: container_network_{way}_bytes_total.",
            Query(_of_pod(f"container_network_{way}_bytes_total"), "{{pod}}"),
            width=12,
        )
        for way in ("receive", "transmit")
    ),
)
