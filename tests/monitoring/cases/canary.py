"""Revisions beside each other."""

from tests.monitoring.case import COMPOSE, PREDICTOR, TRANSFORMER, Case, Firing, counted, histogram, series

OLD = f'{PREDICTOR}, revision="r1", model_version="v1"'
NEW = f'{PREDICTOR}, revision="r2", model_version="v2"'
ERRORS, LATENCY = 'signal="errors"', 'signal="latency"'


def _asked(labels: str, requests: str, failed: str) -> dict[str, str]:
    return {
        series("classifier_requests_total", labels, 'outcome="success"'): requests,
        series("classifier_requests_total", labels, 'outcome="server_error"'): failed,
    }


def _failing(
    old: tuple[float, float], new: tuple[float, float], labels: tuple[str, str] = (OLD, NEW)
) -> dict[str, str]:
    """Requests a minute, and how many of a hundred fail."""
    both: dict[str, str] = {}
    for of, (requests, percent) in zip(labels, (old, new), strict=True):
        failed = requests * percent / 100
        both |= _asked(of, counted(requests - failed), counted(failed))
    return both


def _switched(then: float, old: float, new: float) -> dict[str, str]:
    """The old one alone for an hour, then so many requests a minute for 20 minutes; what the new one gets fails."""
    return _asked(OLD, f"0+{then}x60 {60 * then}+{old}x30", "0x90") | _asked(NEW, "0x90", f"0x60 0+{new}x30")


def _times(new_within: float) -> dict[str, str]:
    """Of the old one's requests 95 % take at most 0.1 s, of the new one's so many."""
    times: dict[str, str] = {}
    for labels, within in ((OLD, 95), (NEW, new_within)):
        edges = {"0.05": 0, "0.1": within, "0.15": 100, "+Inf": 100}
        times |= histogram("classifier_request_duration_seconds", f'{labels}, outcome="success"', edges, minutes=100)
    return times


SLOW = _times(85)
"""1.33 times as long, at the 95th percentile."""

SLOWER = (
    Firing(
        f"{NEW}, {LATENCY}",
        "The 95th percentile of r2 (predictor of photos/image-classifier) is 1.333 times that of the other revisions, "
        "over 1.25.",
    ),
)

CASES = [
    Case(
        "CanaryWorseThanStable",
        "2.2 % fail instead of 1 %",
        _failing((90, 1), (10, 2.2)),
        "12m",
        (
            Firing(
                f"{NEW}, {ERRORS}",
                "Of the requests to r2 (predictor of photos/image-classifier) the share that fails is 1.2% "
                "higher than at the other revisions, over 1 %.",
            ),
        ),
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "1.9 % fail instead of 1 %", _failing((90, 1), (10, 1.9)), "30m", of=ERRORS),
    Case("CanaryWorseThanStable", "both fail alike", _failing((90, 20), (10, 20)), "30m", of=ERRORS),
    Case("CanaryWorseThanStable", "the old one does worse", _failing((90, 5), (10, 0)), "30m", of=ERRORS),
    Case("CanaryWorseThanStable", "there is one revision", _asked(OLD, "0x30", counted(99)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "54 requests in 15 minutes",
        _failing((90, 0), (3.6, 50)),
        "21m",
        (
            Firing(
                f"{NEW}, {ERRORS}",
                "Of the requests to r2 (predictor of photos/image-classifier) the share that fails is 50% "
                "higher than at the other revisions, over 1 %.",
            ),
        ),
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "45 requests in 15 minutes", _failing((90, 0), (3, 50)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "54 requests in 15 minutes to the old one, which had the most before",
        _switched(100, 3.6, 60),
        "78m",
        (
            Firing(
                f"{NEW}, {ERRORS}",
                "Of the requests to r2 (predictor of photos/image-classifier) the share that fails is 100% "
                "higher than at the other revisions, over 1 %.",
            ),
        ),
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "45 requests in 15 minutes to the old one, which had the most before",
        _switched(100, 3, 60),
        "85m",
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "45 % of a day's requests",
        _failing((55, 0), (45, 5)),
        "7m",
        (
            Firing(
                f"{NEW}, {ERRORS}",
                "Of the requests to r2 (predictor of photos/image-classifier) the share that fails is 5% "
                "higher than at the other revisions, over 1 %.",
            ),
        ),
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "55 % of a day's requests", _failing((45, 0), (55, 5)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "without Knative versions tell them apart",
        _failing(
            (90, 0),
            (10, 5),
            (f'{PREDICTOR}, revision="", model_version="v1"', f'{PREDICTOR}, revision="", model_version="v2"'),
        ),
        "12m",
        (
            Firing(
                f'{PREDICTOR}, model_version="v2", {ERRORS}',
                "Of the requests to v2 (predictor of photos/image-classifier) the share that fails is 5% "
                "higher than at the other revisions, over 1 %.",
            ),
        ),
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "requests before a model is loaded are no revision's",
        _failing((90, 0), (10, 100), (OLD, f'{PREDICTOR}, revision="r1", model_version=""')),
        "30m",
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "what a transformer says of its answers does not count",
        _failing(
            (90, 0),
            (10, 5),
            (f'{TRANSFORMER}, revision="t", model_version="v1"', f'{TRANSFORMER}, revision="t", model_version="v2"'),
        ),
        "30m",
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "its 95th percentile is 1.33 times as long",
        SLOW | _failing((90, 0), (10, 0)),
        "12m",
        SLOWER,
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "its 95th percentile is 1.2 times as long",
        _times(91.7) | _failing((90, 0), (10, 0)),
        "30m",
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, of 54 requests in 15 minutes",
        SLOW | _failing((90, 0), (3.6, 0)),
        "21m",
        SLOWER,
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, of 45 requests in 15 minutes",
        SLOW | _failing((90, 0), (3, 0)),
        "30m",
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, and 54 requests in 15 minutes to the old one, which had the most before",
        SLOW | _switched(100, 3.6, 60),
        "78m",
        SLOWER,
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, and 45 requests in 15 minutes to the old one, which had the most before",
        SLOW | _switched(100, 3, 60),
        "85m",
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, with 45 % of a day's requests",
        SLOW | _failing((55, 0), (45, 0)),
        "7m",
        SLOWER,
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "slower, with 55 % of a day's requests",
        SLOW | _failing((45, 0), (55, 0)),
        "30m",
        of=LATENCY,
    ),
    Case(
        "ModelVersionSkew",
        "two versions of one revision",
        {
            series("classifier_model_info", PREDICTOR, 'revision="r1", model_version="v1", pod="a"'): "1x60",
            series("classifier_model_info", PREDICTOR, 'revision="r1", model_version="v2", pod="b"'): "1x60",
        },
        "16m",
        (
            Firing(
                f'{PREDICTOR}, revision="r1"',
                "r1 (predictor of photos/image-classifier) serves 2 versions of the model.",
            ),
        ),
    ),
    Case(
        "ModelVersionSkew",
        "each revision has its own",
        {
            series("classifier_model_info", PREDICTOR, 'revision="r1", model_version="v1", pod="a"'): "1x60",
            series("classifier_model_info", PREDICTOR, 'revision="r2", model_version="v2", pod="b"'): "1x60",
        },
        "30m",
    ),
    Case(
        "ModelVersionSkew",
        "without Knative",
        {
            series("classifier_model_info", COMPOSE, 'revision="", model_version="v1", instance="a"'): "1x60",
            series("classifier_model_info", COMPOSE, 'revision="", model_version="v2", instance="b"'): "1x60",
        },
        "30m",
    ),
]
