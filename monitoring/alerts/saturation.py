"""What fills up before requests are refused, and the refusals."""

from monitoring.alerts.alert import COMPONENT as WHO
from monitoring.alerts.alert import PERCENT, POD, Alert
from monitoring.recording import COMPONENT, TARGETS

ALERTS = (
    Alert(
        name="QueueNearLimit",
        expr="avg_over_time(classifier_queue_depth_images[5m]) / classifier_queue_limit_images > 0.8",
        lasting="2m",
        severity="warning",
        summary="Images wait in nearly every place of the predictor's queue.",
        description=f"{POD}: {PERCENT} of the places in the queue were taken, on average over 5 minutes.",
    ),
    Alert(
        name="InFlightNearLimit",
        expr="avg_over_time(classifier_in_flight_requests[5m]) / classifier_in_flight_limit_requests > 0.8",
        lasting="2m",
        severity="warning",
        summary="A server is at work on nearly as many requests as it takes.",
        description=f"{POD}: {PERCENT} of the requests that it takes at once were in flight, on average over "
        "5 minutes.",
    ),
    Alert(
        name="SheddingSustained",
        expr=f"""sum by ({COMPONENT}) (rate(classifier_requests_total{{code="overloaded"}}[5m]))
/ component:classifier_requests:rate5m > 0.01""",
        lasting="10m",
        severity="warning",
        summary="Requests are refused because every place is taken.",
        description=f"{PERCENT} of the requests to the {WHO} are refused as overloaded.",
    ),
    Alert(
        name="EventLoopBlocked",
        expr="instance:classifier_event_loop_lag_seconds:p99_5m > 0.25",
        lasting="10m",
        severity="warning",
        summary="Something holds up the event loop, and with it every request of the process.",
        description=f"{POD}: the event loop comes back {{{{ $value | humanizeDuration }}}} late (99th percentile).",
    ),
    Alert(
        name="FileDescriptorsNearLimit",
        expr=f"process_open_fds{TARGETS} / process_max_fds > 0.8",
        lasting="10m",
        severity="warning",
        summary="A process has nearly as many files and connections open as it may.",
        description=f"{POD} has {PERCENT} of its file descriptors open.",
    ),
)
