"""What goes wrong inside and between the two servers."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import PERCENT, POD, SERVICE, Alert
from monitoring.recording import COMPONENT

ENOUGH_UNSERVED = 5
"""Requests in five minutes; with fewer one reconnection would wake somebody."""

_MISUNDERSTANDINGS = "bad_input|bad_prediction|contract_mismatch|model_not_found"
"""Which no two of the same contract and model have."""

ALERTS = (
    Alert(
        name="PredictorUnreachable",
        # A predictor that sheds was reached. A transformer that starts calls its predictor, too, though nobody asks.
        expr=f"""sum by ({COMPONENT}) (
  rate(classifier_predictor_calls_total{{outcome=~"predictor_unavailable|not_ready"}}[5m])
)
/ sum by ({COMPONENT}) (rate(classifier_predictor_calls_total[5m])) > 0.01
and on ({COMPONENT}) sum by ({COMPONENT}) (
  increase(classifier_requests_total{{code="predictor_unavailable"}}[5m])
) >= {ENOUGH_UNSERVED}""",
        lasting="2m",
        severity="critical",
        summary="The transformer cannot reach its predictor, or finds it not ready.",
        description=f"{PERCENT} of the calls of {SERVICE} to its predictor do not reach one that is ready.",
    ),
    Alert(
        name="PredictionsRefused",
        # Of the calls, not of the requests: a client that names another contract is refused without one.
        expr=f"""sum by ({COMPONENT}, outcome) (
  increase(classifier_predictor_calls_total{{outcome=~"{_MISUNDERSTANDINGS}"}}[5m])
) > 0""",
        lasting="10m",
        severity="critical",
        summary="Transformer and predictor do not understand each other.",
        description=f"Calls of {SERVICE} to its predictor that ended with {{{{ $labels.outcome }}}} in 5 minutes: "
        "{{ $value | humanize }}.",
    ),
    Alert(
        name="NotReady",
        # All the time, or again and again; a start is one change. Of a pod that is gone nothing is said.
        expr="""classifier_ready == 0
or (changes(classifier_ready[20m]) >= 6 and on (job, instance) classifier_ready)""",
        lasting="10m",
        severity="warning",
        summary="A server runs, but is not ready, or not for long.",
        description=f"{POD} {{{{ if $value }}}}became ready or ceased to be {{{{ $value }}}} times in 20 minutes"
        "{{ else }}is not ready{{ end }}.",
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
        # Those that were cut off, by a client that left or a deadline, say nothing of the hosts.
        expr=f"""sum by ({COMPONENT}) (rate(classifier_fetches_total{{outcome="fetch_failed"}}[15m]))
/ sum by ({COMPONENT}) (rate(classifier_fetches_total{{outcome!="cancelled"}}[15m])) > 0.5
and sum by ({COMPONENT}) (increase(classifier_fetches_total{{outcome!="cancelled"}}[15m])) >= 20""",
        lasting="15m",
        severity="warning",
        summary="Most photos cannot be fetched from their URLs.",
        description=f"{PERCENT} of the fetches of {SERVICE} got no photo within their time.",
    ),
)
