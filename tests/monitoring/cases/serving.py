"""What goes wrong inside and between the two servers."""

from tests.monitoring.case import PREDICTOR, TRANSFORMER, Case, Firing, counted, series, target

POD = target("predictor")


def _unreachable(requests: float) -> dict[str, str]:
    return {
        series("classifier_requests_total", TRANSFORMER, 'code="predictor_unavailable"'): counted(requests),
        series("classifier_requests_total", TRANSFORMER, 'code="ok"'): counted(1000 - requests),
    }


def _refused(code: str, values: str, component: str = TRANSFORMER) -> dict[str, str]:
    return {series("classifier_requests_total", component, f'code="{code}"'): values}


def _fetched(failed: float, other: float) -> dict[str, str]:
    return {
        series("classifier_fetches_total", TRANSFORMER, 'outcome="fetch_failed"'): counted(failed / 2),
        series("classifier_fetches_total", TRANSFORMER, 'outcome="deadline_exceeded"'): counted(failed / 2),
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
                "1.1% of the requests to photos/image-classifier fail: the predictor cannot be reached or refuses.",
            ),
        ),
    ),
    Case("PredictorUnreachable", "0.9 % cannot reach it", _unreachable(9), "30m"),
    Case("PredictorUnreachable", "nobody asks", _unreachable(0), "30m"),
    Case(
        "PredictionsRefused",
        "one in four minutes has another contract",
        _refused("contract_mismatch", _ONE_IN_FOUR_MINUTES),
        "16m",
        (
            Firing(
                f'{TRANSFORMER}, code="contract_mismatch"',
                "Requests to photos/image-classifier that failed with contract_mismatch in 5 minutes: 2.",
            ),
        ),
    ),
    Case(
        "PredictionsRefused",
        "answers are no predictions",
        _refused("bad_prediction", counted(5)),
        "12m",
        (
            Firing(
                f'{TRANSFORMER}, code="bad_prediction"',
                "Requests to photos/image-classifier that failed with bad_prediction in 5 minutes: 25.",
            ),
        ),
    ),
    Case("PredictionsRefused", "it happened once", _refused("bad_prediction", "0x5 1x30"), "15m"),
    Case("PredictionsRefused", "it never happened", _refused("bad_prediction", "0x30"), "30m"),
    Case(
        "NotReady",
        "never",
        {series("classifier_ready", POD): "0x60"},
        "11m",
        (Firing(POD, "a (predictor of photos/image-classifier) was ready 0% of the last 10 minutes."),),
    ),
    Case(
        "NotReady",
        "one minute in three not",
        {series("classifier_ready", POD): _again_and_again("1 1 0")},
        "24m",
        (Firing(POD, "a (predictor of photos/image-classifier) was ready 63.64% of the last 10 minutes."),),
    ),
    Case("NotReady", "one minute in six not", {series("classifier_ready", POD): _again_and_again("1x4 0")}, "40m"),
    Case("NotReady", "just started", {series("classifier_ready", POD): "0x1 1x60"}, "20m"),
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
        "all of 22 in 15 minutes",
        _fetched(22 / 15, 0),
        "32m",
        (Firing(TRANSFORMER, "100% of the fetches of photos/image-classifier got no photo within their time."),),
    ),
    Case("FetchFailures", "all of 18 in 15 minutes", _fetched(18 / 15, 0), "50m"),
]
