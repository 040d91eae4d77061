"""A few words of PromQL in which the boards are written; Grafana fills in the variables.

Matchers are PromQL's own, such as `outcome="success"`; those of the chosen service are always added.
"""

CHOSEN = ("namespace", "inference_service")
"""Each a label and the board's variable that has its value; without a cluster there is no namespace, nor its label."""
SERVICE = ", ".join(f'{label}=~"${label}"' for label in CHOSEN)
COMPONENT = 'component=~"$component"'
TRANSFORMER = 'component="transformer"'
PREDICTOR = 'component="predictor"'
ANSWERED = 'outcome=~"success|cancelled"'
"""Whose time counts: a refusal is quick, and who left had waited."""

NAMED = 'class_id!=""'
"""Classes that are counted by name; the rest together has no id."""

WINDOW = "$__rate_interval"

_WORKLOAD = "($inference_service)-(predictor|transformer)"
REVISIONS = f'k8s_namespace_name=~"$namespace", kn_service_name=~"{_WORKLOAD}"'
"""What Knative says of the chosen service, under the names that KServe gives."""
PODS = f'namespace=~"$namespace", pod=~"{_WORKLOAD}-.*"'
AUTOSCALERS = f'namespace=~"$namespace", horizontalpodautoscaler=~"{_WORKLOAD}"'


def series(metric: str, *matchers: str) -> str:
    """Of the chosen service."""
    return select(metric, SERVICE, *matchers)


def select(metric: str, *matchers: str) -> str:
    return f"{metric}{{{', '.join(matchers)}}}"


def total(metric: str, *matchers: str, by: str = "") -> str:
    return f"sum{_by(by)} ({series(metric, *matchers)})"


def rate(counter: str, *matchers: str, by: str = "", window: str = WINDOW) -> str:
    """What a counter gained per second."""
    return f"sum{_by(by)} (rate({series(counter, *matchers)}[{window}]))"


def increase(counter: str, *matchers: str, by: str = "") -> str:
    """What a counter gained in all the time that the board shows."""
    return f"sum{_by(by)} (increase({series(counter, *matchers)}[$__range]))"


def buckets(histogram: str, *matchers: str, by: str = "") -> str:
    return rate(f"{histogram}_bucket", *matchers, by=f"{by}, le" if by else "le")


def quantile(q: float, histogram: str, *matchers: str, by: str = "") -> str:
    return f"histogram_quantile({q}, {buckets(histogram, *matchers, by=by)})"


def mean(histogram: str, *matchers: str, by: str = "") -> str:
    return ratio(rate(f"{histogram}_sum", *matchers, by=by), rate(f"{histogram}_count", *matchers, by=by))


def within(edge: float, histogram: str, *matchers: str, by: str = "", window: str = WINDOW) -> str:
    """The share of what was observed that is no more than an edge of the histogram's buckets."""
    bucket = rate(f"{histogram}_bucket", *matchers, f'le="{edge}"', by=by, window=window)
    return ratio(bucket, rate(f"{histogram}_count", *matchers, by=by, window=window))


def ratio(part: str, whole: str) -> str:
    """NaN while there is nothing of the whole, which panels show as no traffic."""
    return f"{part} / {whole}"


def share(part: str, whole: str) -> str:
    """A ratio that is 0, and not absent, until something of the part was counted."""
    return f"({part} or 0 * {whole}) / {whole}"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
