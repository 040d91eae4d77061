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
    old: tuple[float, float], new: tuple[float, float], labels: tuple[str, str] = (OLD, NEW), until: str = "x400"
) -> dict[str, str]:
    """Requests a minute, how many of a hundred fail, and until when there is a new one."""
    both: dict[str, str] = {}
    for of, (requests, percent), end in zip(labels, (old, new), ("x400", until), strict=True):
        failed = requests * percent / 100
        both |= _asked(of, f"0+{requests - failed}{end}", f"0+{failed}{end}")
    return both


def _worse(labels: str, revision: str, share: str) -> Firing:
    return Firing(
        f"{labels}, {ERRORS}",
        f"Of the requests to {revision} (predictor of photos/image-classifier) the share that fails is {share} "
        "higher than at the other revisions, over 1 %.",
    )


def _switched(then: float, old: float, new: float) -> dict[str, str]:
    """The old one alone for an hour, then so many requests a minute for 20 minutes; what the new one gets fails."""
    return _asked(OLD, f"0+{then}x60 {60 * then}+{old}x30", "0x90") | _asked(NEW, "0x90", f"0x60 0+{new}x30")


def _times(new_within: float, old_within: float = 95) -> dict[str, str]:
    """So many of a hundred requests take at most 0.1 s."""
    times: dict[str, str] = {}
    for labels, within in ((OLD, old_within), (NEW, new_within)):
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
        (_worse(NEW, "r2", "1.2%"),),
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "1.9 % fail instead of 1 %", _failing((90, 1), (10, 1.9)), "30m", of=ERRORS),
    Case("CanaryWorseThanStable", "both fail alike", _failing((90, 20), (10, 20)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "the old one does worse",
        _failing((90, 5), (10, 0)),
        "12m",
        (_worse(OLD, "r1", "5%"),),
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "the old one does worse, with few requests left",
        _failing((10, 5), (90, 0)),
        "12m",
        (_worse(OLD, "r1", "5%"),),
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "each has half of the requests",
        _failing((50, 0), (50, 5)),
        "12m",
        (_worse(NEW, "r2", "5%"),),
        of=ERRORS,
    ),
    Case(
        "CanaryWorseThanStable",
        "the worse one is gone",
        _failing((90, 0), (10, 5), until="x12 stale"),
        "30m",
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "there is one revision", _asked(OLD, "0x30", counted(99)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "54 requests in 15 minutes",
        _failing((90, 0), (3.6, 50)),
        "21m",
        (_worse(NEW, "r2", "50%"),),
        of=ERRORS,
    ),
    Case("CanaryWorseThanStable", "45 requests in 15 minutes", _failing((90, 0), (3, 50)), "30m", of=ERRORS),
    Case(
        "CanaryWorseThanStable",
        "54 requests in 15 minutes to the old one, which had the most before",
        _switched(100, 3.6, 60),
        "78m",
        (_worse(NEW, "r2", "100%"),),
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
        "slower, with half of the requests",
        SLOW | _failing((50, 0), (50, 0)),
        "12m",
        SLOWER,
        of=LATENCY,
    ),
    Case(
        "CanaryWorseThanStable",
        "the old one is slower",
        _times(95, 85) | _failing((90, 0), (10, 0)),
        "12m",
        (
            Firing(
                f"{OLD}, {LATENCY}",
                "The 95th percentile of r1 (predictor of photos/image-classifier) is 1.333 times that of the other "
                "revisions, over 1.25.",
            ),
        ),
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
