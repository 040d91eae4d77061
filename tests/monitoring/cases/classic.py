"""Down, slow, failing, out of CPU, out of memory."""

from tests.monitoring.case import COMPOSE, PREDICTOR, TRANSFORMER, Case, Firing, counted, histogram, series, target

A, B = target("predictor", "a"), target("predictor", "b")
_DOWN = Firing(PREDICTOR, "Not one target of the predictor of photos/image-classifier could be scraped for a minute.")
_OF_KNATIVE = 'k8s_namespace_name="photos", kn_service_name="image-classifier-predictor", kn_revision_name="r1"'


def _asked(labels: str, **per_minute: float) -> dict[str, str]:
    """Requests by outcome."""
    return {
        series("classifier_requests_total", labels, f'outcome="{outcome}"'): counted(count)
        for outcome, count in per_minute.items()
    }


def _latency(labels: str, **per_minute: float) -> dict[str, str]:
    edges = dict(zip(("0.35", "0.5", "0.75", "+Inf"), per_minute.values(), strict=True))
    return histogram("classifier_request_duration_seconds", f'{labels}, outcome="success"', edges)


CASES = [
    Case("ServiceDown", "its only pod does not answer", {series("up", A): "1x5 0x20"}, "7m", (_DOWN,)),
    Case("ServiceDown", "not yet for a minute", {series("up", A): "1x5 0x20"}, "6m"),
    Case("ServiceDown", "its only target vanishes", {series("up", A): "1x5 stale"}, "7m", (_DOWN,)),
    Case("ServiceDown", "one of two pods is down", {series("up", A): "0x20", series("up", B): "1x20"}, "15m"),
    Case("ServiceDown", "one of two targets vanishes", {series("up", A): "1x5 stale", series("up", B): "1x20"}, "15m"),
    Case("ServiceDown", "both pods are down", {series("up", A): "0x20", series("up", B): "0x20"}, "1m", (_DOWN,)),
    Case(
        "ServiceDown",
        "the other component answers",
        {series("up", A): "1x5 stale", series("up", target("transformer", "c")): "1x20"},
        "7m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "without a cluster",
        {series("up", 'job="image-classifier"', COMPOSE, 'instance="transformer:8080"'): "0x20"},
        "1m",
        (Firing(COMPOSE, "Not one target of the transformer of image-classifier could be scraped for a minute."),),
    ),
    Case("ServiceDown", "it answers again", {series("up", A): "1x5 0x5 1x5"}, "13m"),
    Case("ServiceDown", "another job's target is down", {series("up", f'job="node", {PREDICTOR}'): "0x20"}, "5m"),
    Case("ServiceDown", "it was removed long ago", {series("up", A): "1x5 stale"}, "6h10m"),
    Case(
        "ServiceDown",
        "Knative has scaled it to zero",
        {series("up", A): "1x5 stale", series("kn_revision_pods_requested", _OF_KNATIVE): "0x20"},
        "15m",
    ),
    Case(
        "ServiceDown",
        "Knative wants a pod and there is none",
        {series("up", A): "1x5 stale", series("kn_revision_pods_requested", _OF_KNATIVE): "1x20"},
        "7m",
        (_DOWN,),
    ),
    Case(
        "HighLatencyP95",
        "7 % take longer",
        _latency(PREDICTOR, quick=500, edge=930, slow=1000, all=1000),
        "7m",
        (
            Firing(
                PREDICTOR, "The 95th percentile of the predictor of photos/image-classifier is 571.4ms, over 500 ms."
            ),
        ),
    ),
    Case(
        "HighLatencyP95",
        "not yet for five minutes",
        _latency(PREDICTOR, quick=500, edge=930, slow=1000, all=1000),
        "5m",
    ),
    Case(
        "HighLatencyP95",
        "4 % take longer",
        _latency(PREDICTOR, quick=500, edge=960, slow=1000, all=1000),
        "20m",
    ),
    Case(
        "HighLatencyP95",
        "exactly 5 % take longer",
        _latency(PREDICTOR, quick=500, edge=950, slow=1000, all=1000),
        "20m",
    ),
    Case("HighLatencyP95", "nobody asks", _latency(PREDICTOR, quick=0, edge=0, slow=0, all=0), "20m"),
    Case(
        "HighLatencyP95",
        "what fails slowly is judged as failed",
        histogram(
            "classifier_request_duration_seconds",
            f'{PREDICTOR}, outcome="server_error"',
            {"0.5": 0, "20.0": 10, "+Inf": 10},
        ),
        "20m",
    ),
    Case(
        "HighLatencyP95",
        "those who left had waited",
        histogram(
            "classifier_request_duration_seconds",
            f'{COMPOSE}, outcome="cancelled"',
            {"0.5": 0, "0.75": 10, "+Inf": 10},
        ),
        "7m",
        (Firing(COMPOSE, "The 95th percentile of the transformer of image-classifier is 737.5ms, over 500 ms."),),
    ),
    Case(
        "HighErrorRate",
        "6 % fail",
        _asked(TRANSFORMER, success=94, server_error=6),
        "7m",
        (
            Firing(
                f'{TRANSFORMER}, slo="availability"',
                "6% of the requests to the transformer of photos/image-classifier fail, over 5 %.",
            ),
        ),
    ),
    Case("HighErrorRate", "not yet for five minutes", _asked(TRANSFORMER, success=94, server_error=6), "5m"),
    Case("HighErrorRate", "4 % fail", _asked(TRANSFORMER, success=96, server_error=4), "20m"),
    Case("HighErrorRate", "exactly 5 % fail", _asked(TRANSFORMER, success=95, server_error=5), "20m"),
    Case("HighErrorRate", "clients err and leave", _asked(TRANSFORMER, client_error=50, cancelled=50), "20m"),
    Case("HighErrorRate", "nobody asks", _asked(TRANSFORMER, success=0, server_error=0), "20m"),
    Case(
        "HighErrorRate",
        "its series vanish",
        {series("classifier_requests_total", TRANSFORMER, 'outcome="server_error"'): "0+10x10 stale"},
        "20m",
    ),
    Case(
        "HighErrorRate",
        "without a cluster",
        _asked(COMPOSE, server_error=1),
        "7m",
        (
            Firing(
                f'{COMPOSE}, slo="availability"',
                "100% of the requests to the transformer of image-classifier fail, over 5 %.",
            ),
        ),
    ),
    Case(
        "HighCPU",
        "85 % of two cores",
        {series("process_cpu_seconds_total", A): counted(102), series("classifier_cpu_limit_cores", A): "2x60"},
        "16m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 85% of its CPU, over 80 %."),),
    ),
    Case(
        "HighCPU",
        "not yet for ten minutes",
        {series("process_cpu_seconds_total", A): counted(102), series("classifier_cpu_limit_cores", A): "2x60"},
        "14m",
    ),
    Case(
        "HighCPU",
        "75 % of two cores",
        {series("process_cpu_seconds_total", A): counted(90), series("classifier_cpu_limit_cores", A): "2x60"},
        "20m",
    ),
    Case(
        "HighMemory",
        "90 % of a GiB",
        {
            series("process_resident_memory_bytes", A): "966367641x60",
            series("classifier_memory_limit_bytes", A): "1073741824x60",
        },
        "10m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 90% of its memory, over 85 %."),),
    ),
    Case(
        "HighMemory",
        "80 % of a GiB",
        {
            series("process_resident_memory_bytes", A): "858993459x60",
            series("classifier_memory_limit_bytes", A): "1073741824x60",
        },
        "20m",
    ),
    Case(
        "HighMemory",
        "its process is started again",
        {
            series("process_resident_memory_bytes", A): "966367641x8 stale 500000000x20",
            series("classifier_memory_limit_bytes", A): "1073741824x60",
        },
        "20m",
    ),
]
