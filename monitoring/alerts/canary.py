"""Revisions beside each other: each is held to all others, since the one that fails need not be the new one."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import Alert
from monitoring.recording import CANARY_WINDOW, COMPONENT, REVISION

ENOUGH_REQUESTS = 50
"""In the window and on either side; under it a few bad ones would decide."""

_SECONDS = 15 * 60

_ENOUGH = f"""and on ({REVISION}) revision:classifier_requests:rate{CANARY_WINDOW} * {_SECONDS} >= {ENOUGH_REQUESTS}
and on ({REVISION}) others:classifier_requests:rate{CANARY_WINDOW} * {_SECONDS} >= {ENOUGH_REQUESTS}"""

_NAMED = "{{ or $labels.revision $labels.model_version }} (" + WHO + ")"

_FAILED = f"classifier_failed_requests:ratio_rate{CANARY_WINDOW}"
_P95 = f"classifier_request_duration_seconds:p95_{CANARY_WINDOW}"

ALERTS = (
    Alert(
        name="CanaryWorseThanStable",
        expr=f"revision:{_FAILED} - others:{_FAILED} > 0.01\n{_ENOUGH}",
        lasting="5m",
        severity="warning",
        summary="A revision does worse than those beside it.",
        description=f"Of the requests to {_NAMED} the share that fails is {{{{ $value | humanizePercentage }}}} "
        "higher than at the other revisions, over 1 %.",
        labels=(("signal", "errors"),),
    ),
    Alert(
        name="CanaryWorseThanStable",
        expr=f"revision:{_P95} / others:{_P95} > 1.25\n{_ENOUGH}",
        lasting="5m",
        severity="warning",
        summary="A revision does worse than those beside it.",
        description=f"The 95th percentile of {_NAMED} is {{{{ $value | humanize }}}} times that of the other "
        "revisions, over 1.25.",
        labels=(("signal", "latency"),),
    ),
    Alert(
        name="ModelVersionSkew",
        # Without Knative no revision tells the pods of a canary apart, which then rightly differ.
        expr=f"""count by ({COMPONENT}, revision) (
  group by ({REVISION}) (classifier_model_info{{component="predictor", revision!=""}})
) > 1""",
        lasting="15m",
        severity="warning",
        summary="Pods of one revision serve different models.",
        description="{{ $labels.revision }} (" + WHO + ") serves {{ $value }} versions of the model.",
    ),
)
