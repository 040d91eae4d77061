"""Metrics that boards and rules read and only a cluster has, with where their names and labels come from.

No process of ours exports them, so no test can scrape them: whoever adds one reads its source first.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Exporter(NamedTuple):
    """One source of metrics: what is known of it, the labels its series carry, and their names."""

    source: str
    labels: frozenset[str]
    names: tuple[str, ...]


_KNATIVE = "Knative Serving 1.21 and newer, config-observability with metrics-protocol prometheus; "
_OF_REVISION = frozenset({"k8s_namespace_name", "kn_configuration_name", "kn_revision_name", "kn_service_name"})
_OF_POD_MONITOR = frozenset({"component", "inference_service", "job", "namespace", "pod", "revision"})

EXPORTERS = (
    Exporter(
        _KNATIVE + "autoscaler:9090 (pkg/autoscaler/scaling/metrics.go, pkg/reconciler/autoscaling/kpa/metrics.go)",
        _OF_REVISION,
        (
            "kn_revision_capacity_excess",
            "kn_revision_concurrency_panic",
            "kn_revision_concurrency_stable",
            "kn_revision_concurrency_target",
            "kn_revision_panic_mode",
            "kn_revision_pods_count",
            "kn_revision_pods_desired",
            "kn_revision_pods_not_ready_count",
            "kn_revision_pods_pending_count",
            "kn_revision_pods_requested",
            "kn_revision_pods_terminating_count",
        ),
    ),
    Exporter(
        _KNATIVE + "activator:9090 (pkg/activator/handler/concurrency_reporter.go)",
        _OF_REVISION,
        ("kn_revision_request_concurrency",),
    ),
    Exporter(
        _KNATIVE + "activator:9090 (pkg/activator/metrics.go)",
        frozenset({"pod"}),
        ("kn_activator_stats_conn_reachable",),
    ),
    Exporter(
        _KNATIVE + "queue-proxy:9091 (pkg/queue/request_metric.go); its PodMonitor adds the labels of the pod",
        _OF_POD_MONITOR | {"http_response_status_code", "le"},
        tuple(f"kn_serving_invocation_duration_seconds_{part}" for part in ("bucket", "sum", "count")),
    ),
    Exporter(
        "kube-state-metrics (docs/metrics/workload/pod-metrics.md)",
        frozenset({"container", "namespace", "pod", "reason"}),
        (
            "kube_pod_container_status_last_terminated_reason",
            "kube_pod_container_status_restarts_total",
            "kube_pod_container_status_waiting_reason",
        ),
    ),
    Exporter(
        "kube-state-metrics (docs/metrics/workload/horizontalpodautoscaler-metrics.md)",
        frozenset({"horizontalpodautoscaler", "namespace"}),
        (
            "kube_horizontalpodautoscaler_spec_max_replicas",
            "kube_horizontalpodautoscaler_spec_min_replicas",
            "kube_horizontalpodautoscaler_status_current_replicas",
            "kube_horizontalpodautoscaler_status_desired_replicas",
        ),
    ),
    Exporter(
        "cAdvisor, as the kubelet serves it (/metrics/cadvisor)",
        frozenset({"container", "namespace", "pod"}),
        ("container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_periods_total"),
    ),
    Exporter(
        "cAdvisor, as the kubelet serves it (/metrics/cadvisor)",
        frozenset({"interface", "namespace", "pod"}),
        ("container_network_receive_bytes_total", "container_network_transmit_bytes_total"),
    ),
)

CLUSTER_METRICS: Mapping[str, str] = {name: exporter.source for exporter in EXPORTERS for name in exporter.names}
"""Where each name comes from."""

CLUSTER_LABELS: Mapping[str, frozenset[str]] = {
    name: exporter.labels for exporter in EXPORTERS for name in exporter.names
}
"""What each name's series may be matched and grouped by."""
