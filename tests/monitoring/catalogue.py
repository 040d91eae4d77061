"""Every series that boards and rules may read, with its labels: ours from the code, Prometheus's own, a cluster's."""

import functools
from collections.abc import Iterator, Mapping
from itertools import chain

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from monitoring.cluster_metrics import CLUSTER_LABELS
from monitoring.recording import Recording
from monitoring.rules import groups
from scripts.metrics_table import SECTIONS, catalogue, name
from tests.monitoring.labels import Known, Reading

TARGET = frozenset({"component", "inference_service", "instance", "job", "namespace", "pod"})
"""What every scrape configuration adds."""

PROMETHEUS = {"up": TARGET, "ALERTS": TARGET | {"alertname", "alertstate", "severity"}}


def collectors() -> Iterator[MetricWrapperBase]:
    """The metrics of our catalogue, and kserve's."""
    return chain.from_iterable(map(catalogue, SECTIONS.values()))


@functools.cache
def labels() -> Mapping[str, frozenset[str]]:
    """By the name of the series."""
    return with_recorded({**_of_every_process(), **_ours(), **PROMETHEUS, **CLUSTER_LABELS})


def with_recorded(known: Known) -> dict[str, frozenset[str]]:
    """What is known, and what the rules record of it."""
    found = dict(known)
    for group in groups():
        for rule in group.rules:
            if isinstance(rule, Recording):  # what it reads is recorded before it
                found[rule.record] = Reading(rule.expr, found).labels | dict(rule.labels).keys()
    return found


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
