"""Whether the service is watched at all."""

from monitoring.alerts.absence import AT_ZERO, GONE, REMEMBERED
from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import POD, Alert
from monitoring.recording import COMPONENT, TARGETS

ALERTS = (
    Alert(
        name="ScrapeMissing",
        # A pod that does not answer while others of its component do, or answers without metrics of ours; a predictor
        # that answers the transformer and is no target; a component that is gone, without an autoscaler that says
        # whether it should be; no target since long, and nothing that may be ours is at zero.
        expr=f"""(
  up{TARGETS} == 0
  and on ({COMPONENT}) sum by ({COMPONENT}) (up{TARGETS}) > 0
)
or (up{TARGETS} == 1 unless on (job, instance) classifier_ready)
or label_replace(
  group by (namespace, inference_service) (rate(classifier_predictor_calls_total{{outcome="success"}}[5m]) > 0)
  unless on (namespace, inference_service) up{{job="image-classifier", component="predictor"}},
  "component", "predictor", "", ""
)
or ({GONE} unless on ({COMPONENT}) component:autoscaled_pods:max)
or (absent_over_time(up{TARGETS}[{REMEMBERED}]) unless on () {AT_ZERO})""",
        lasting="15m",
        severity="warning",
        summary="Metrics are missing: pods run unseen, or are gone.",
        description=f"{{{{ if $labels.instance }}}}{POD} gives no metrics."
        f"{{{{ else if $labels.component }}}}The {WHO} has no target."
        "{{ else }}The job {{ $labels.job }} has no target at all.{{ end }}",
    ),
    Alert(
        name="Watchdog",
        expr="vector(1)",
        lasting="1m",
        severity="info",
        summary="Fires always: when it is silent, nobody would hear of anything else.",
        description="Prometheus evaluates the rules and Alertmanager takes alerts.",
    ),
)
