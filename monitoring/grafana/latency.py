"""Where does a request's time go?"""

from monitoring.grafana import limits
from monitoring.grafana.board import board, choice
from monitoring.grafana.grid import row
from monitoring.grafana.panels import Query, heatmap, percentiles, stat, timeseries
from monitoring.grafana.promql import (
    ANSWERED,
    COMPONENT,
    PREDICTOR,
    TRANSFORMER,
    mean,
    quantile,
    rate,
    within,
)

DURATION = "classifier_request_duration_seconds"
STAGE = "classifier_stage_duration_seconds"
CALL = "classifier_predictor_call_duration_seconds"
PROXY = "kn_serving_invocation_duration_seconds"
KSERVE_STAGES = ("preprocess", "predict", "postprocess")

TIME_BY_STAGE = rate(f"{STAGE}_sum", COMPONENT, by="stage")
ALL_TIME = rate(f"{STAGE}_sum", COMPONENT)
REQUESTS = rate(f"{DURATION}_count", COMPONENT)

BOARD = board(
    "latency",
    "Latency by stage",
    "How long requests take, and in which stage of which server.",
    row(
        "Now",
        *(
            stat(
                f"p{100 * q:.0f}",
                "s",
                f"Time in which {100 * q:.0f} % of requests were answered: classifier_request_duration_seconds.",
                Query(quantile(q, DURATION, COMPONENT, ANSWERED)),
                limits=limits.LATENCY,
            )
            for q in (0.5, 0.95, 0.99)
        ),
        *(
            stat(
                f"Slower than {edge} s",
                "percentunit",
                f"Share of answers that took longer than {edge} s: classifier_request_duration_seconds.",
                Query(f"1 - {within(edge, DURATION, COMPONENT, ANSWERED)}"),
                limits=limits.SLOW_ANSWERS,
            )
            for edge in limits.LATENCY
        ),
        stat(
            "Mean",
            "s",
            "Mean time of an answer: classifier_request_duration_seconds.",
            Query(mean(DURATION, COMPONENT, ANSWERED)),
        ),
    ),
    row(
        "Requests",
        timeseries(
            "Latency by route",
            "s",
            "95th percentile by route: classifier_request_duration_seconds.",
            Query(quantile(0.95, DURATION, COMPONENT, ANSWERED, by="route"), "{{route}}"),
            limits=limits.LATENCY,
            exemplars=True,
        ),
        timeseries(
            "Latency by server",
            "s",
            "95th percentile of the transformer's requests, which hold the predictor's, and of the predictor's: "
            "classifier_request_duration_seconds.",
            Query(quantile(0.95, DURATION, ANSWERED, by="component"), "{{component}}"),
            limits=limits.LATENCY,
            exemplars=True,
        ),
        timeseries(
            "Share of slow answers",
            "percentunit",
            "Share of answers over the promised time, beside how many may be, and over the alert's: "
            "classifier_request_duration_seconds.",
            *(Query(f"1 - {within(edge, DURATION, COMPONENT, ANSWERED)}", f"over {edge} s") for edge in limits.LATENCY),
            limits=limits.SLOW_ANSWERS,
        ),
        heatmap("Latency distribution", "s", DURATION, COMPONENT, ANSWERED, exemplars=True),
        heatmap("Predictor call distribution", "s", CALL, TRANSFORMER, exemplars=True),
    ),
    row(
        "Stages",
        *(
            timeseries(
                f"p{100 * q:.0f} by stage",
                "s",
                f"Time in which {100 * q:.0f} % of requests passed each stage: classifier_stage_duration_seconds.",
                Query(quantile(q, STAGE, COMPONENT, by="stage"), "{{stage}}"),
                exemplars=True,
            )
            for q in (0.5, 0.95, 0.99)
        ),
        timeseries(
            "Mean request by stage",
            "s",
            "Mean time that a request spent in each stage, one upon the other; a request that skipped a stage counts "
            "as 0: classifier_stage_duration_seconds and classifier_request_duration_seconds.",
            Query(
                f"{TIME_BY_STAGE} / on () group_left () {REQUESTS}",
                "{{stage}}",
            ),
            stacked=True,
            width=12,
        ),
        timeseries(
            "Share of time by stage",
            "percentunit",
            "Share of all stages' time that each takes: classifier_stage_duration_seconds.",
            Query(
                f"{TIME_BY_STAGE} / on () group_left () {ALL_TIME}",
                "{{stage}}",
            ),
            stacked=True,
            width=12,
        ),
        *(
            heatmap(
                f"Distribution of {stage}",
                "s",
                STAGE,
                component,
                f'stage="{stage}"',
                description=f"classifier_stage_duration_seconds of the stage {stage}, by its buckets.",
                exemplars=True,
            )
            for stage, component in (("decode", TRANSFORMER), ("inference", PREDICTOR))
        ),
    ),
    row(
        "Between the servers",
        timeseries(
            "Predictor call",
            "s",
            "Quantiles of a call as the transformer sees it: classifier_predictor_call_duration_seconds.",
            *percentiles(CALL, TRANSFORMER),
            exemplars=True,
            width=12,
        ),
        timeseries(
            "On the way to the predictor",
            "s",
            "Mean of classifier_predictor_call_duration_seconds less the predictor's own "
            "classifier_request_duration_seconds: network, proxies and encoding.",
            Query(f"{mean(CALL, TRANSFORMER)} - {mean(DURATION, PREDICTOR, ANSWERED)}", "way"),
            width=12,
        ),
        timeseries(
            "In Knative's queue-proxy",
            "s",
            "Mean of kn_serving_invocation_duration_seconds less our own classifier_request_duration_seconds, by "
            "server; only with Knative.",
            Query(f"{mean(PROXY, by='component')} - {mean(DURATION, by='component')}", "{{component}}"),
            width=12,
        ),
        timeseries(
            "KServe's stages",
            "s",
            "95th percentile of KServe's own histograms: request_preprocess_seconds, request_predict_seconds and "
            "request_postprocess_seconds.",
            *(
                Query(
                    quantile(0.95, f"request_{stage}_seconds", COMPONENT, by="model_name"),
                    f"{stage} {{{{model_name}}}}",
                )
                for stage in KSERVE_STAGES
            ),
            width=12,
        ),
    ),
    variables=[choice("component", "Component", "Whose requests are timed.", "transformer", "predictor")],
)
