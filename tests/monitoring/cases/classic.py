"""Down, slow, failing, out of CPU, out of memory."""

from tests.monitoring.case import COMPOSE, PREDICTOR, TRANSFORMER, Case, Firing, counted, histogram, series, target

A, B = target("predictor", "a"), target("predictor", "b")
_DOWN = Firing(PREDICTOR, "Not one target of the predictor of photos/image-classifier could be scraped for a minute.")
_OF_KNATIVE = 'k8s_namespace_name="photos", kn_service_name="image-classifier-predictor", kn_revision_name="r1"'
_OF_HPA = 'namespace="photos", horizontalpodautoscaler="image-classifier-predictor"'
_VANISHED = {series("up", A): "1x5 stale"}
_TRANSFORMER = {series("up", target("transformer", "c")): "1x60"}


def _knative(requested: str, **others: str) -> dict[str, str]:
    """What the autoscaler says of the predictor."""
    said = {"requested": requested, **others}
    return {series(f"kn_revision_pods_{name}", _OF_KNATIVE): values for name, values in said.items()}


def _ran(revision: str) -> dict[str, str]:
    """What the predictor said of itself until it vanished."""
    return {series("classifier_build_info", A, f'revision="{revision}"'): "1x5 stale"}


def _asked(labels: str, **per_minute: float) -> dict[str, str]:
    """Requests by outcome."""
    return {
        series("classifier_requests_total", labels, f'outcome="{outcome}"'): counted(count)
        for outcome, count in per_minute.items()
    }


def _latency(labels: str, **per_minute: float) -> dict[str, str]:
    edges = dict(zip(("0.35", "0.5", "0.75", "+Inf"), per_minute.values(), strict=True))
    return histogram("classifier_request_duration_seconds", f'{labels}, outcome="success"', edges)


def _cpu(seconds: float) -> dict[str, str]:
    """In a minute, of two cores."""
    return {series("process_cpu_seconds_total", A): counted(seconds), series("classifier_cpu_limit_cores", A): "2x60"}


def _memory(percent: str) -> dict[str, str]:
    return {
        series("process_resident_memory_bytes", A): percent,
        series("classifier_memory_limit_bytes", A): "100x60",
    }


CASES = [
    Case("ServiceDown", "its only pod does not answer", {series("up", A): "1x5 0x20"}, "7m", (_DOWN,)),
    Case("ServiceDown", "not yet for a minute", {series("up", A): "1x5 0x20"}, "6m"),
    Case("ServiceDown", "one of two pods is down", {series("up", A): "0x20", series("up", B): "1x20"}, "15m"),
    Case("ServiceDown", "one of two targets vanishes", {series("up", A): "1x5 stale", series("up", B): "1x20"}, "15m"),
    Case("ServiceDown", "both pods are down", {series("up", A): "0x20", series("up", B): "0x20"}, "1m", (_DOWN,)),
    Case(
        "ServiceDown",
        "without a cluster",
        {series("up", 'job="image-classifier"', COMPOSE, 'instance="transformer:8080"'): "0x20"},
        "1m",
        (Firing(COMPOSE, "Not one target of the transformer of image-classifier could be scraped for a minute."),),
    ),
    Case("ServiceDown", "it answers again", {series("up", A): "1x5 0x5 1x5"}, "13m"),
    Case("ServiceDown", "another job's target is down", {series("up", f'job="node", {PREDICTOR}'): "0x20"}, "5m"),
    Case(
        "ServiceDown", "it vanishes, the other component is there", _VANISHED | _ran("") | _TRANSFORMER, "7m", (_DOWN,)
    ),
    Case("ServiceDown", "it vanishes, not yet for a minute", _VANISHED | _ran("") | _TRANSFORMER, "6m"),
    Case(
        "ServiceDown",
        "it vanished long ago",
        _VANISHED | _ran("") | {series("up", target("transformer", "c")): "1x400"},
        "6h10m",
    ),
    Case(
        "ServiceDown",
        "both components vanish: the service was deleted",
        _VANISHED | _ran("") | {series("up", target("transformer", "c")): "1x5 stale"},
        "90m",
    ),
    Case(
        "ServiceDown",
        "it vanishes, another service is there",
        _VANISHED
        | _ran("")
        | {series("up", 'job="image-classifier", namespace="photos", inference_service="cats"'): "1x60"},
        "30m",
    ),
    Case(
        "ServiceDown",
        "it vanishes, and it was Knative's, who is not asked",
        _VANISHED | _ran("r1") | _TRANSFORMER,
        "30m",
    ),
    Case("ServiceDown", "Knative scales it to zero", _VANISHED | _knative("1x5 0x20"), "20m"),
    Case(
        "ServiceDown",
        "Knative scales it to zero, the other component is there",
        _VANISHED | _TRANSFORMER | _knative("1x5 0x20"),
        "20m",
    ),
    Case(
        "ServiceDown",
        "Knative scales it to zero, its last pod does not answer",
        {series("up", A): "1x5 0x20"} | _knative("0x20"),
        "15m",
    ),
    Case("ServiceDown", "Knative wants a pod and there is none", _VANISHED | _knative("1x20"), "7m", (_DOWN,)),
    Case(
        "ServiceDown",
        "nothing is requested, but pods are not ready",
        _VANISHED | _knative("0x20", not_ready_count="1x20"),
        "7m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "nothing is requested, but pods are pending",
        _VANISHED | _knative("0x20", pending_count="1x20"),
        "7m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "nothing is requested, but pods are there",
        _VANISHED | _knative("0x20", count="1x20"),
        "7m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "nothing is requested, and none is there",
        _VANISHED | _knative("0x20", count="0x20", pending_count="0x20", not_ready_count="0x20"),
        "15m",
    ),
    Case(
        "ServiceDown",
        "it starts from zero within five minutes",
        {series("up", A): "_x10 0x3 1x20"} | _knative("0x10 1x30"),
        "13m",
    ),
    Case(
        "ServiceDown",
        "it does not start from zero",
        {series("up", A): "_x10 0x30"} | _knative("0x10 1x30"),
        "18m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "Knative was never at zero, and it starts anew",
        {series("up", A): "1x5 0x20"} | _knative("1x30"),
        "8m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "the HPA wants pods and there is none",
        _VANISHED | {series("kube_horizontalpodautoscaler_status_desired_replicas", _OF_HPA): "3x20"},
        "7m",
        (_DOWN,),
    ),
    Case(
        "ServiceDown",
        "it vanishes, and the HPA with it",
        _VANISHED | {series("kube_horizontalpodautoscaler_status_desired_replicas", _OF_HPA): "3x5 stale"},
        "30m",
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
    Case(
        "HighLatencyP95",
        "its series vanish",
        {
            name: values.replace("x60", "x9 stale")
            for name, values in _latency(PREDICTOR, quick=0, edge=0, slow=9, all=9).items()
        },
        "16m",
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
        _cpu(102),
        "16m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 85% of its CPU, over 80 %."),),
    ),
    Case(
        "HighCPU",
        "not yet for ten minutes",
        _cpu(102),
        "14m",
    ),
    Case("HighCPU", "75 % of two cores", _cpu(90), "20m"),
    Case("HighCPU", "exactly 80 %", _cpu(96), "30m"),
    Case(
        "HighCPU",
        "just over 80 %",
        _cpu(96.6),
        "16m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 80.5% of its CPU, over 80 %."),),
    ),
    Case(
        "HighCPU",
        "its series vanish",
        {series("process_cpu_seconds_total", A): "0+102x9 stale", series("classifier_cpu_limit_cores", A): "2x9 stale"},
        "20m",
    ),
    Case(
        "HighMemory",
        "90 %",
        _memory("90x60"),
        "10m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 90% of its memory, over 85 %."),),
    ),
    Case(
        "HighMemory",
        "80 %",
        _memory("80x60"),
        "20m",
    ),
    Case("HighMemory", "exactly 85 %", _memory("85x60"), "20m"),
    Case(
        "HighMemory",
        "just over 85 %",
        _memory("85.5x60"),
        "10m",
        (Firing(A, "a (predictor of photos/image-classifier) uses 85.5% of its memory, over 85 %."),),
    ),
    Case("HighMemory", "not yet for ten minutes", _memory("90x60"), "9m"),
    Case("HighMemory", "its series vanish", _memory("90x8 stale"), "20m"),
    Case(
        "HighMemory",
        "its process is started again",
        _memory("90x8 stale 50x20"),
        "20m",
    ),
]
