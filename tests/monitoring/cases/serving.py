"""What goes wrong inside and between the two servers."""

from tests.monitoring.case import PREDICTOR, TRANSFORMER, Case, Firing, counted, series, target

POD = target("predictor")


def _unreachable(calls: float, of: float = 1000, outcome: str = "predictor_unavailable") -> dict[str, str]:
    """Calls a minute that end so, and as many requests that fail for it."""
    return _called(calls, of, outcome) | {
        series("classifier_requests_total", TRANSFORMER, 'code="predictor_unavailable"'): counted(calls),
    }


def _called(calls: float, of: float, outcome: str) -> dict[str, str]:
    return {
        series("classifier_predictor_calls_total", TRANSFORMER, f'outcome="{outcome}"'): counted(calls),
        series("classifier_predictor_calls_total", TRANSFORMER, 'outcome="success"'): counted(of - calls),
    }


def _refused(code: str, values: str) -> dict[str, str]:
    return {series("classifier_requests_total", TRANSFORMER, f'code="{code}"'): values}


def _misunderstood(outcome: str, values: str) -> dict[str, str]:
    return {series("classifier_predictor_calls_total", TRANSFORMER, f'outcome="{outcome}"'): values}


def _fetched(failed: float, other: float, cancelled: float = 0) -> dict[str, str]:
    return {
        series("classifier_fetches_total", TRANSFORMER, 'outcome="fetch_failed"'): counted(failed),
        series("classifier_fetches_total", TRANSFORMER, 'outcome="cancelled"'): counted(cancelled),
        series("classifier_fetches_total", TRANSFORMER, 'outcome="success"'): counted(other / 2),
        series("classifier_fetches_total", TRANSFORMER, 'outcome="too_large"'): counted(other / 2),
    }


def _again_and_again(pattern: str) -> str:
    return " ".join([pattern] * 20)


_ONE_IN_FOUR_MINUTES = " ".join(f"{count}x3" for count in range(15))

CASES = [
    Case(
        "PredictorUnreachable",
        "1.1 % cannot reach it",
        _unreachable(11),
        "4m",
        (
            Firing(
                TRANSFORMER,
                "1.1% of the calls of photos/image-classifier to its predictor do not reach one that is ready.",
            ),
        ),
    ),
    Case("PredictorUnreachable", "0.9 % cannot reach it", _unreachable(9), "30m"),
    Case("PredictorUnreachable", "nobody asks", _unreachable(0), "30m"),
    Case(
        "PredictorUnreachable",
        "it is not ready",
        _unreachable(11, outcome="not_ready"),
        "4m",
        (
            Firing(
                TRANSFORMER,
                "1.1% of the calls of photos/image-classifier to its predictor do not reach one that is ready.",
            ),
        ),
    ),
    Case("PredictorUnreachable", "it sheds", _unreachable(11, outcome="overloaded"), "30m"),
    Case(
        "PredictorUnreachable",
        "all of 5 in five minutes",
        _unreachable(1, of=1),
        "12m",
        (
            Firing(
                TRANSFORMER,
                "100% of the calls of photos/image-classifier to its predictor do not reach one that is ready.",
            ),
        ),
    ),
    Case("PredictorUnreachable", "all of 4 in five minutes", _unreachable(0.9, of=0.9), "30m"),
    Case(
        "PredictorUnreachable",
        "a transformer waits for it, nobody asks",
        _called(30, 30, "predictor_unavailable"),
        "30m",
    ),
    Case(
        "PredictorUnreachable",
        "one bad request, nobody else asks",
        {name: "0x9 1x60" for name in _unreachable(1, of=1) if "success" not in name},
        "13m",
    ),
    Case(
        "PredictorUnreachable",
        "its series vanish",
        {name: values.replace("x60", "x9 stale") for name, values in _unreachable(11).items()},
        "16m",
    ),
    Case(
        "PredictionsRefused",
        "one in four minutes has another contract",
        _misunderstood("contract_mismatch", _ONE_IN_FOUR_MINUTES),
        "16m",
        (
            Firing(
                f'{TRANSFORMER}, outcome="contract_mismatch"',
                "Calls of photos/image-classifier to its predictor that ended with contract_mismatch in 5 minutes: 2.",
            ),
        ),
    ),
    Case(
        "PredictionsRefused",
        "answers are no predictions",
        _misunderstood("bad_prediction", counted(5)),
        "12m",
        (
            Firing(
                f'{TRANSFORMER}, outcome="bad_prediction"',
                "Calls of photos/image-classifier to its predictor that ended with bad_prediction in 5 minutes: 25.",
            ),
        ),
    ),
    Case(
        "PredictionsRefused",
        "clients name another contract",
        _refused("contract_mismatch", counted(5)) | _misunderstood("contract_mismatch", "0x30"),
        "30m",
    ),
    Case("PredictionsRefused", "it happened once", _misunderstood("bad_prediction", "0x5 1x30"), "15m"),
    Case("PredictionsRefused", "it never happened", _misunderstood("bad_prediction", "0x30"), "30m"),
    Case(
        "NotReady",
        "never",
        {series("classifier_ready", POD): "0x60"},
        "11m",
        (Firing(POD, "a (predictor of photos/image-classifier) is not ready."),),
    ),
    Case("NotReady", "not yet for ten minutes", {series("classifier_ready", POD): "1x5 0x20"}, "15m"),
    Case("NotReady", "no longer", {series("classifier_ready", POD): "1x5 0x12 1x20"}, "19m"),
    Case(
        "NotReady",
        "three times in twenty minutes not",
        {series("classifier_ready", POD): _again_and_again("1x3 0 1x5 0 1x5 0 1")},
        "40m",
        (
            Firing(
                POD,
                "a (predictor of photos/image-classifier) became ready or ceased to be 6 times in 20 minutes.",
            ),
        ),
    ),
    Case("NotReady", "started, then twice not", {series("classifier_ready", POD): "0 1x2 0 1x3 0 1x40"}, "20m"),
    Case("NotReady", "started in two and a half minutes", {series("classifier_ready", POD): "0x2 1x60"}, "11m"),
    Case("NotReady", "gone before it was ready", {series("classifier_ready", POD): "0x3 stale"}, "11m"),
    Case(
        "NotReady", "gone after it came and went", {series("classifier_ready", POD): "1 0 1 0 1 0 1 0 1 stale"}, "19m"
    ),
    Case(
        "BatchFailures",
        "one batch",
        {series("classifier_batch_failures_total", POD): "0x5 1x30"},
        "7m",
        (Firing(PREDICTOR, "Batches that failed in 15 minutes at the predictor of photos/image-classifier: 1."),),
    ),
    Case("BatchFailures", "none", {series("classifier_batch_failures_total", POD): "3x60"}, "30m"),
    Case("BatchFailures", "an hour ago", {series("classifier_batch_failures_total", POD): "0x5 1x90"}, "65m"),
    Case(
        "FetchFailures",
        "55 % of 30 in 15 minutes",
        _fetched(1.1, 0.9),
        "32m",
        (Firing(TRANSFORMER, "55% of the fetches of photos/image-classifier got no photo within their time."),),
    ),
    Case("FetchFailures", "45 % of 30 in 15 minutes", _fetched(0.9, 1.1), "50m"),
    Case(
        "FetchFailures",
        "55 % of 30, beside as many that were cut off",
        _fetched(1.1, 0.9, cancelled=2),
        "32m",
        (Firing(TRANSFORMER, "55% of the fetches of photos/image-classifier got no photo within their time."),),
    ),
    Case("FetchFailures", "all that were not cut off, 18 in 15 minutes", _fetched(18 / 15, 0, cancelled=2), "50m"),
    Case("FetchFailures", "all were cut off", _fetched(0, 0, cancelled=2), "50m"),
    Case(
        "FetchFailures",
        "all of 22 in 15 minutes",
        _fetched(22 / 15, 0),
        "32m",
        (Firing(TRANSFORMER, "100% of the fetches of photos/image-classifier got no photo within their time."),),
    ),
    Case("FetchFailures", "all of 18 in 15 minutes", _fetched(18 / 15, 0), "50m"),
]
