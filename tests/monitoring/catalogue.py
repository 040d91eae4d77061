"""Every series that boards and rules may read, with its labels: ours from the code, Prometheus's own, a cluster's."""

import functools
import importlib
from collections.abc import Iterator, Mapping

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from monitoring.cluster_metrics import CLUSTER_LABELS
from monitoring.recording import Recording
from monitoring.rules import groups
from tests.monitoring.live.labels import Reading

MODULES = ("serving.metrics", "predictor.metrics", "transformer.metrics", "kserve.metrics")

TARGET = frozenset({"component", "inference_service", "instance", "job", "namespace", "pod"})
"""What every scrape configuration adds."""

PROMETHEUS = {"up": TARGET, "ALERTS": TARGET | {"alertname", "alertstate", "severity"}}


def collectors() -> Iterator[MetricWrapperBase]:
    """The metrics of our catalogue, and kserve's."""
    for module in map(importlib.import_module, MODULES):
        yield from (metric for metric in vars(module).values() if isinstance(metric, MetricWrapperBase))


def name(collector: MetricWrapperBase) -> str:
    """As the catalogue has it: a counter's with _total, a histogram's without the endings of its series."""
    (family,) = collector.describe()
    return f"{family.name}_total" if isinstance(collector, Counter) else family.name


@functools.cache
def labels() -> Mapping[str, frozenset[str]]:
    """By the name of the series."""
    known = {**_of_every_process(), **_ours(), **PROMETHEUS, **CLUSTER_LABELS}
    for group in groups():
        for rule in group.rules:
            if isinstance(rule, Recording):  # what it reads is recorded before it
                known[rule.record] = Reading(rule.expr, known).labels | dict(rule.labels).keys()
    return known


def _ours() -> dict[str, frozenset[str]]:
    return {
        series: TARGET | set(collector._labelnames) | ({"le"} if series.endswith("_bucket") else set())  # no other way
        for collector in collectors()
        for series in _series(collector)
    }


def _series(collector: MetricWrapperBase) -> tuple[str, ...]:
    if isinstance(collector, Histogram):
        return tuple(f"{name(collector)}_{part}" for part in ("bucket", "sum", "count"))
    if isinstance(collector, Counter | Gauge):
        return (name(collector),)
    raise TypeError(f"{name(collector)} is neither a counter nor a gauge nor a histogram")


def _of_every_process() -> dict[str, frozenset[str]]:
    """What prometheus_client says of the process and of Python."""
    return {
        sample.name: TARGET | sample.labels.keys()
        for family in REGISTRY.collect()
        if family.name.startswith(("process_", "python_"))
        for sample in family.samples
    }
