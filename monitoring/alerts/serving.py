"""What goes wrong inside and between the two servers."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import PERCENT, POD, SERVICE, Alert
from monitoring.recording import COMPONENT

ALERTS = (
    Alert(
        name="PredictorUnreachable",
        expr=f"""sum by ({COMPONENT}) (rate(classifier_requests_total{{code="predictor_unavailable"}}[5m]))
/ component:classifier_requests:rate5m > 0.01""",
        lasting="2m",
        severity="critical",
        summary="The transformer cannot reach its predictor, or is sent away by it.",
        description=f"{PERCENT} of the requests to {SERVICE} fail: the predictor cannot be reached or refuses.",
    ),
    Alert(
        name="PredictionsRefused",
        expr=f"""sum by ({COMPONENT}, code) (
  increase(classifier_requests_total{{component="transformer", code=~"bad_prediction|contract_mismatch"}}[5m])
) > 0""",
        lasting="10m",
        severity="critical",
        summary="The transformer refuses what the predictor answers.",
        description=f"Requests to {SERVICE} that failed with {{{{ $labels.code }}}} in 5 minutes: "
        "{{ $value | humanize }}.",
    ),
    Alert(
        name="NotReady",
        expr="avg_over_time(classifier_ready[10m]) < 0.8",
        lasting="10m",
        severity="warning",
        summary="A server runs, but is not ready, or not for long.",
        description=f"{POD} was ready {PERCENT} of the last 10 minutes.",
    ),
    Alert(
        name="BatchFailures",
        expr=f"sum by ({COMPONENT}) (increase(classifier_batch_failures_total[15m])) > 0",
        lasting="1m",
        severity="warning",
        summary="The engine fails to run batches.",
        description=f"Batches that failed in 15 minutes at the {WHO}: {{{{ $value | humanize }}}}.",
    ),
    Alert(
        name="FetchFailures",
        expr=f"""sum by ({COMPONENT}) (rate(classifier_fetches_total{{outcome=~"fetch_failed|deadline_exceeded"}}[15m]))
/ sum by ({COMPONENT}) (rate(classifier_fetches_total[15m])) > 0.5
and sum by ({COMPONENT}) (increase(classifier_fetches_total[15m])) >= 20""",
        lasting="15m",
        severity="warning",
        summary="Most photos cannot be fetched from their URLs.",
        description=f"{PERCENT} of the fetches of {SERVICE} got no photo within their time.",
    ),
)
