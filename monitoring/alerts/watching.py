"""Whether the service is watched at all."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import Alert
from monitoring.recording import COMPONENT, TARGETS

ALERTS = (
    Alert(
        name="ScrapeMissing",
        # Pods that do not answer while others of their component do; that answer without metrics of ours; a predictor
        # that answers the transformer and is no target; no target at all, though Knative is not at zero.
        expr=f"""(
  count by ({COMPONENT}) (up{TARGETS} == 0)
  and on ({COMPONENT}) sum by ({COMPONENT}) (up{TARGETS}) > 0
)
or count by ({COMPONENT}) (up{TARGETS} == 1 unless on (job, instance) classifier_ready)
or label_replace(
  group by (namespace, inference_service) (rate(classifier_predictor_calls_total{{outcome="success"}}[5m]) > 0)
  unless on (namespace, inference_service) up{{job="image-classifier", component="predictor"}},
  "component", "predictor", "", ""
)
or (
  absent(up{TARGETS})
  unless on () max(revision:kn_revision_pods_requested:max) == 0
)""",
        lasting="15m",
        severity="warning",
        summary="Pods run unseen: their metrics cannot be scraped.",
        description=f"{{{{ if $labels.component }}}}Without metrics at the {WHO}: {{{{ $value }}}}."
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
