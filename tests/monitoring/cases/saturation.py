"""What fills up before requests are refused, and the refusals."""

from tests.monitoring.case import PREDICTOR, TRANSFORMER, Case, Firing, counted, histogram, series, target

POD = target("predictor")


def _queue(depth: str) -> dict[str, str]:
    return {
        series("classifier_queue_depth_images", POD): depth,
        series("classifier_queue_limit_images", POD): "256x60",
    }


def _in_flight(requests: str) -> dict[str, str]:
    return {
        series("classifier_in_flight_requests", POD): requests,
        series("classifier_in_flight_limit_requests", POD): "32x60",
    }


def _shed(overloaded: float) -> dict[str, str]:
    return {
        series("classifier_requests_total", TRANSFORMER, 'code="overloaded"'): counted(overloaded),
        series("classifier_requests_total", TRANSFORMER, 'code="ok"'): counted(1000 - overloaded),
    }


def _lag(under: float) -> dict[str, str]:
    edges = {"0.1": 500, "0.25": under, "0.5": 1000, "+Inf": 1000}
    return histogram("classifier_event_loop_lag_seconds", POD, edges)


def _files(opened: int) -> dict[str, str]:
    return {series("process_open_fds", POD): f"{opened}x60", series("process_max_fds", POD): "1000x60"}


def _until(minute: int, given: dict[str, str]) -> dict[str, str]:
    """The same, but after that minute nothing is scraped any more."""
    return {name: values.replace("x60", f"x{minute} stale") for name, values in given.items()}


CASES = [
    Case(
        "QueueNearLimit",
        "86 % of the places are taken",
        _queue("220x60"),
        "3m",
        (
            Firing(
                POD,
                "a (predictor of photos/image-classifier): 85.94% of the places in the queue were taken, on "
                "average over 5 minutes.",
            ),
        ),
    ),
    Case("QueueNearLimit", "74 % of the places are taken", _queue("190x60"), "30m"),
    Case("QueueNearLimit", "its pod is gone", _until(9, _queue("220x60")), "10m"),
    Case("QueueNearLimit", "it was full for a moment", _queue("0x10 256x1 0x20"), "13m"),
    Case(
        "InFlightNearLimit",
        "28 of 32 are taken",
        _in_flight("28x60"),
        "3m",
        (
            Firing(
                POD,
                "a (predictor of photos/image-classifier): 87.5% of the requests that it takes at once were "
                "in flight, on average over 5 minutes.",
            ),
        ),
    ),
    Case("InFlightNearLimit", "24 of 32 are taken", _in_flight("24x60"), "30m"),
    Case("InFlightNearLimit", "its pod is gone", _until(9, _in_flight("28x60")), "10m"),
    Case(
        "SheddingSustained",
        "1.1 % are refused",
        _shed(11),
        "12m",
        (
            Firing(
                TRANSFORMER,
                "1.1% of the requests to the transformer of photos/image-classifier are refused as overloaded.",
            ),
        ),
    ),
    Case("SheddingSustained", "0.9 % are refused", _shed(9), "30m"),
    Case("SheddingSustained", "its series vanish", _until(12, _shed(11)), "18m"),
    Case("SheddingSustained", "not yet for ten minutes", _shed(11), "10m"),
    Case(
        "SheddingSustained",
        "nothing was ever refused",
        {series("classifier_requests_total", PREDICTOR, 'code="ok"'): counted(100)},
        "30m",
    ),
    Case(
        "EventLoopBlocked",
        "1.1 % come back late",
        _lag(989),
        "12m",
        (
            Firing(
                POD,
                "a (predictor of photos/image-classifier): the event loop comes back 272.7ms late (99th percentile).",
            ),
        ),
    ),
    Case("EventLoopBlocked", "0.9 % come back late", _lag(991), "30m"),
    Case("EventLoopBlocked", "its pod is gone", _until(12, _lag(989)), "18m"),
    Case(
        "FileDescriptorsNearLimit",
        "90 % are open",
        _files(900),
        "11m",
        (Firing(POD, "a (predictor of photos/image-classifier) has 90% of its file descriptors open."),),
    ),
    Case("FileDescriptorsNearLimit", "70 % are open", _files(700), "30m"),
    Case("FileDescriptorsNearLimit", "its process is gone", _until(11, _files(900)), "12m"),
    Case(
        "FileDescriptorsNearLimit",
        "another job's process has 90 % open",
        {
            series("process_open_fds", 'job="node"'): "900x60",
            series("process_max_fds", 'job="node"'): "1000x60",
        },
        "30m",
    ),
]
