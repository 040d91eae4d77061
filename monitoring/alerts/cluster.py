"""What only a cluster can tell; monitoring/cluster_metrics.py says who exports it."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import PERCENT, Alert
from monitoring.recording import COMPONENT, TARGETS

_POD = "{{ $labels.pod }} (" + WHO + ")"

_OURS = f"and on ({COMPONENT}) group by ({COMPONENT}) (up{TARGETS})"
_OF_OUR_PODS = f"""* on (namespace, pod) group_left (inference_service, component)
group by (namespace, pod, inference_service, component) (up{TARGETS})"""
"""Others' pods are left out, and ours told whose they are."""

ALERTS = (
    Alert(
        name="AutoscalerAtMaximum",
        # Knative's `desired` is what the load asks for, `requested` the same within the bounds. An HPA says the latter
        # alone; where its bounds are one number it is always at its maximum.
        expr=f"""(
  revision:kn_revision_pods_desired:max > revision:kn_revision_pods_requested:max
  or (
    component:kube_horizontalpodautoscaler_desired_replicas:max
    >= component:kube_horizontalpodautoscaler_max_replicas:max
    unless component:kube_horizontalpodautoscaler_min_replicas:max
    >= component:kube_horizontalpodautoscaler_max_replicas:max
  )
)
{_OURS}""",
        lasting="15m",
        severity="warning",
        summary="More pods are wanted than there may be.",
        description=f"{{{{ $value }}}} pods are wanted for the {WHO}, and there are as many as there may be.",
    ),
    Alert(
        name="CPUThrottled",
        expr=f"""sum by (namespace, pod) (
  increase(container_cpu_cfs_throttled_periods_total{{container="kserve-container"}}[5m])
)
/ sum by (namespace, pod) (increase(container_cpu_cfs_periods_total{{container="kserve-container"}}[5m]))
{_OF_OUR_PODS}
> 0.25""",
        lasting="15m",
        severity="info",
        summary="A process is held back since it has used up its CPU time.",
        description=f"{_POD} is throttled in {PERCENT} of its periods.",
    ),
    Alert(
        name="CrashLooping",
        expr=f"""max by (namespace, pod, container) (
  max_over_time(kube_pod_container_status_waiting_reason{{reason="CrashLoopBackOff"}}[5m])
)
{_OF_OUR_PODS}
> 0""",
        lasting="5m",
        severity="warning",
        summary="A container ends again and again right after its start.",
        description=f"Container {{{{ $labels.container }}}} of {_POD} waits to be started once more.",
    ),
    Alert(
        name="OOMKilled",
        expr=f"""(
  max by (namespace, pod, container) (kube_pod_container_status_last_terminated_reason{{reason="OOMKilled"}})
  and on (namespace, pod, container) increase(kube_pod_container_status_restarts_total[15m]) > 0
)
{_OF_OUR_PODS}
> 0""",
        lasting="1m",
        severity="warning",
        summary="A container was killed over its memory limit.",
        description=f"Container {{{{ $labels.container }}}} of {_POD} used more memory than it may and was killed.",
    ),
    Alert(
        name="RevisionPodsNotReady",
        expr=f"revision:kn_revision_pods_not_ready:max > 0\n{_OURS}",
        lasting="10m",
        severity="warning",
        summary="Pods of a revision do not become ready.",
        description=f"Pods of {{{{ $labels.revision }}}} ({WHO}) that are not ready: {{{{ $value }}}}.",
    ),
    Alert(
        name="ActivatorLostAutoscaler",
        expr="min by (pod) (kn_activator_stats_conn_reachable) == 0",
        lasting="5m",
        severity="critical",
        summary="Knative's activator cannot reach the autoscaler: nothing is started from zero.",
        description="The activator {{ $labels.pod }} has no connection to the autoscaler.",
    ),
)
