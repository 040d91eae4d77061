"""The catalogue of both servers: every metric with its name, labels, meaning and buckets.

Prefix `classifier_`, base units. The predictor's own stand in `predictor/metrics.py`, the transformer's in
`transformer/metrics.py`; docs/metrics.md lists them all. kserve's four histograms stay beside them, and
prometheus_client's own of the process.
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which Prometheus does not use

LATENCY_BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0
)  # fmt: skip
"""Seconds; the thresholds of the rules, 0.1 and 0.5, are edges, so that shares under them are exact."""

STAGE_BUCKETS = (0.0001, 0.00025, 0.0005, *LATENCY_BUCKETS)

REQUESTS = Counter(
    "classifier_requests",
    "Requests to the doors that infer. Outcome: success, client_error, server_error (503 and 504 included) or "
    "cancelled (the client left); code: ok, or that of the error.",
    ("route", "method", "outcome", "code", "revision", "model_version"),
)
REQUEST_DURATION = Histogram(
    "classifier_request_duration_seconds",
    "Time from a request's headers to its answer, at the doors that infer.",
    ("route", "outcome", "revision", "model_version"),
    buckets=LATENCY_BUCKETS,
)
STAGE_DURATION = Histogram(
    "classifier_stage_duration_seconds",
    "Time that a request spent in each of its stages, which do not overlap: read, meet (the predictor), queue, fetch, "
    "decode, preprocess, predictor_rpc, inference, postprocess; a server has those that it passes.",
    ("stage", "revision"),
    buckets=STAGE_BUCKETS,
)
OTHER_REQUESTS = Counter(
    "classifier_other_requests",
    "Requests to every other door: probes, metadata, documents, unknown paths.",
    ("route", "method", "outcome"),
)
IN_FLIGHT = Gauge("classifier_in_flight_requests", "Requests that were admitted and are not answered yet.")
IN_FLIGHT_LIMIT = Gauge("classifier_in_flight_limit_requests", "Requests in flight over which one more is refused.")
READY = Gauge("classifier_ready", "1 when the server is loaded, warm and not draining.")
MODEL_INFO = Gauge(
    "classifier_model_info",
    "1 for the model that is served; of a transformer, the one that its predictor told of.",
    ("model", "model_version", "revision", "architecture", "engine", "precision", "device", "fingerprint", "trained"),
)
BUILD_INFO = Gauge("classifier_build_info", "1 for the server that runs.", ("version", "python", "kserve", "revision"))
EVENT_LOOP_LAG = Histogram(
    "classifier_event_loop_lag_seconds",
    "How much later than asked for the event loop came back, measured twice a second.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
CPU_LIMIT = Gauge("classifier_cpu_limit_cores", "Cores that the process may use: its cgroups' limit or its affinity.")
MEMORY_LIMIT = Gauge("classifier_memory_limit_bytes", "Memory that the process may have: its cgroups' limit or all.")
