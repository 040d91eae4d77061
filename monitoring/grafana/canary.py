"""Is the new revision as good as the old? Of the predictor, since each of its pods knows its own revision and model."""

from monitoring.grafana import limits
from monitoring.grafana.board import all_of, board, values_of
from monitoring.grafana.grid import row
from monitoring.grafana.panels import Query, bars, stat, table, timeseries
from monitoring.grafana.promql import (
    ANSWERED,
    NAMED,
    PREDICTOR,
    TRANSFORMER,
    increase,
    mean,
    quantile,
    rate,
    series,
    share,
    total,
    within,
)

REQUESTS = "classifier_requests_total"
DURATION = "classifier_request_duration_seconds"
STAGE = "classifier_stage_duration_seconds"
PREDICTIONS = "classifier_predictions_total"
CONFIDENCE = "classifier_top1_confidence_ratio"
ENTROPY = "classifier_entropy_ratio"
CALLS = "classifier_predictor_calls_total"
CALL = "classifier_predictor_call_duration_seconds"
CLASSES = "classifier_class_predictions_total"
PROXY = "kn_serving_invocation_duration_seconds_count"
P95 = "classifier_request_duration_seconds:p95_15m"
FAILED = "classifier_failed_requests:ratio_rate15m"

WHICH = "revision, model_version"
"""Knative tells revisions apart; without it the versions of the model do."""
NAME = "{{revision}} {{model_version}}"
MODEL = f"{WHICH}, architecture, engine, precision, fingerprint"
FAILURE = 'outcome="server_error"'

REVISION = 'revision=~"$revision"'
OF = (PREDICTOR, REVISION)
SHARE = f"{rate(PREDICTIONS, REVISION, by=WHICH)} / on () group_left () {rate(PREDICTIONS)}"
ERRORS = share(rate(REQUESTS, *OF, FAILURE, by=WHICH), rate(REQUESTS, *OF, by=WHICH))

BOARD = board(
    "canary",
    "Canary",
    "The predictor's revisions side by side, and each beside all the others together.",
    row(
        "Now",
        stat(
            "Share of predictions",
            "percentunit",
            "Of the images that were classified, beside canaryTrafficPercent: classifier_predictions_total.",
            Query(SHARE, NAME),
            width=8,
        ),
        stat(
            "Server errors",
            "percentunit",
            "Share of the predictor's requests that it failed: classifier_requests_total.",
            Query(ERRORS, NAME),
            limits=limits.SERVER_ERRORS,
            width=8,
        ),
        stat(
            "p95 latency",
            "s",
            "Time in which the predictor answered 95 % of its requests: classifier_request_duration_seconds.",
            Query(quantile(0.95, DURATION, *OF, ANSWERED, by=WHICH), NAME),
            limits=limits.LATENCY,
            width=8,
        ),
    ),
    row(
        "Traffic and errors",
        timeseries(
            "Requests",
            "reqps",
            "The predictor's: classifier_requests_total.",
            Query(rate(REQUESTS, *OF, by=WHICH), NAME),
            stacked=True,
        ),
        timeseries(
            "Share of traffic",
            "percentunit",
            "Of the images that were classified: classifier_predictions_total.",
            Query(SHARE, NAME),
            stacked=True,
        ),
        timeseries(
            "Requests in queue-proxy",
            "reqps",
            "As Knative sees them, by status: kn_serving_invocation_duration_seconds.",
            Query(
                rate(PROXY, *OF, by="http_response_status_code, revision"),
                "{{revision}} {{http_response_status_code}}",
            ),
        ),
        timeseries(
            "Share of server errors",
            "percentunit",
            "Of the predictor's requests: classifier_requests_total.",
            Query(ERRORS, NAME),
            limits=limits.SERVER_ERRORS,
        ),
        timeseries(
            "Errors by code",
            "reqps",
            "The predictor's answers that were no success: classifier_requests_total.",
            Query(rate(REQUESTS, *OF, 'outcome!="success"', by=f"code, {WHICH}"), f"{NAME} {{{{code}}}}"),
        ),
        timeseries(
            "Calls by outcome",
            "reqps",
            "As the transformer sees them, which knows the revision only of a predictor that answered: "
            "classifier_predictor_calls_total.",
            Query(rate(CALLS, TRANSFORMER, REVISION, by=f"outcome, {WHICH}"), f"{NAME} {{{{outcome}}}}"),
        ),
    ),
    row(
        "Latency",
        *(
            timeseries(
                f"p{100 * q:.0f}",
                "s",
                f"Time in which the predictor answered {100 * q:.0f} % of its requests: "
                "classifier_request_duration_seconds.",
                Query(quantile(q, DURATION, *OF, ANSWERED, by=WHICH), NAME),
                limits=limits.LATENCY,
                exemplars=True,
            )
            for q in (0.5, 0.95, 0.99)
        ),
        timeseries(
            "Inference, p95",
            "s",
            "The engine's part, without Knative of all versions together: classifier_stage_duration_seconds.",
            Query(quantile(0.95, STAGE, *OF, 'stage="inference"', by="revision"), "{{revision}}"),
            exemplars=True,
            width=12,
        ),
        timeseries(
            "Calls, p95",
            "s",
            "As the transformer sees them: classifier_predictor_call_duration_seconds.",
            Query(quantile(0.95, CALL, TRANSFORMER, REVISION, by=WHICH), NAME),
            exemplars=True,
            width=12,
        ),
    ),
    row(
        "Beside all the others",
        timeseries(
            "p95, as a multiple of the others'",
            "none",
            f"Over 15 minutes, beside the limit of the alert: revision:{P95} and others:{P95}.",
            Query(f"{series(f'revision:{P95}', REVISION)} / {series(f'others:{P95}', REVISION)}", NAME),
            limits=limits.CANARY_LATENCY,
            width=12,
        ),
        timeseries(
            "Share of errors, over the others'",
            "percentunit",
            f"Difference over 15 minutes, beside the limit of the alert: revision:{FAILED} and others:{FAILED}.",
            Query(f"{series(f'revision:{FAILED}', REVISION)} - {series(f'others:{FAILED}', REVISION)}", NAME),
            limits=limits.CANARY_ERRORS,
            width=12,
        ),
    ),
    row(
        "Answers",
        timeseries(
            "Mean confidence",
            "percentunit",
            "Probability of the best class: classifier_top1_confidence_ratio.",
            Query(mean(CONFIDENCE, REVISION, by=WHICH), NAME),
        ),
        timeseries(
            "Unsure answers",
            "percentunit",
            "Share of images whose best class has at most half of the probability: classifier_top1_confidence_ratio.",
            Query(within(0.5, CONFIDENCE, REVISION, by=WHICH), NAME),
        ),
        timeseries(
            "Mean entropy",
            "percentunit",
            "0 is certain, 1 is every class alike: classifier_entropy_ratio.",
            Query(mean(ENTROPY, REVISION, by=WHICH), NAME),
        ),
        bars(
            "Most frequent classes",
            "percentunit",
            "Share of a revision's images, for its ten most frequent classes: classifier_class_predictions_total.",
            Query(
                f"topk by ({WHICH}) (10, {increase(CLASSES, REVISION, NAMED, by=f'class_id, class_label, {WHICH}')} "
                f"/ on ({WHICH}) group_left () {increase(CLASSES, REVISION, by=WHICH)})",
                f"{NAME} {{{{class_label}}}}",
            ),
        ),
        table(
            "Models",
            "What each revision of the predictor serves: classifier_model_info.",
            Query(total("classifier_model_info", *OF, by=MODEL)),
            width=12,
            height=12,
        ),
    ),
    variables=[
        all_of(
            values_of(
                "revision",
                "Revision",
                "Of the predictor; without Knative there is only All.",
                f"label_values({series('classifier_model_info', PREDICTOR)}, revision)",
            )
        )
    ],
)
