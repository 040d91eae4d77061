"""The five that every service has: down, slow, failing, out of CPU, out of memory."""

from monitoring.alerts.absence import AT_ZERO, GONE, REMEMBERED
from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import PERCENT, POD, Alert
from monitoring.recording import COMPONENT, TARGETS

_SERVICE = "namespace, inference_service"

_WANTED = f"""component:autoscaled_pods:max
or (
  group by ({COMPONENT}) (present_over_time(classifier_build_info{{revision=""}}[{REMEMBERED}]))
  and on ({_SERVICE}) up{TARGETS}
)"""
"""An autoscaler says so; or the other component is there, and it is not Knative's, which alone scales to zero."""

ALERTS = (
    Alert(
        name="ServiceDown",
        # Also where no target is left that could say 0, if something says that there should be one.
        expr=f"""(
  sum by ({COMPONENT}) (up{TARGETS}) == 0
  or ({GONE} and on ({COMPONENT}) ({_WANTED}))
)
unless on ({COMPONENT}) {AT_ZERO}""",
        lasting="1m",
        severity="critical",
        summary="No pod of a component answers.",
        description=f"Not one target of the {WHO} could be scraped for a minute.",
    ),
    Alert(
        name="HighLatencyP95",
        expr="component:classifier_request_duration_seconds:p95_5m > 0.5",
        lasting="5m",
        severity="warning",
        summary="One request in twenty takes longer than half a second.",
        description=f"The 95th percentile of the {WHO} is {{{{ $value | humanizeDuration }}}}, over 500 ms.",
    ),
    Alert(
        name="HighErrorRate",
        expr='component:classifier_slo_bad_requests:ratio_rate5m{slo="availability"} > 0.05',
        lasting="5m",
        severity="critical",
        summary="More than one request in twenty fails.",
        description=f"{PERCENT} of the requests to the {WHO} fail, over 5 %.",
    ),
    Alert(
        name="HighCPU",
        expr="instance:classifier_cpu_usage:ratio_rate5m > 0.8",
        lasting="10m",
        severity="warning",
        summary="A process uses most of the CPU that it may use.",
        description=f"{POD} uses {PERCENT} of its CPU, over 80 %.",
    ),
    Alert(
        name="HighMemory",
        expr="instance:classifier_memory_usage:ratio > 0.85",
        lasting="10m",
        severity="warning",
        summary="A process is close to its memory limit, where it would be killed.",
        description=f"{POD} uses {PERCENT} of its memory, over 85 %.",
    ),
)
