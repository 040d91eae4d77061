"""Everything that is asked of Prometheus: the rules as they are committed, and the boards' panels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from monitoring.cluster_metrics import CLUSTER_LABELS
from monitoring.grafana import boards
from tests.monitoring.catalogue import with_recorded
from tests.monitoring.expressions import expressions
from tests.monitoring.labels import Known
from tests.monitoring.live.configuration import RULES
from tests.monitoring.live.parts import parts
from tests.monitoring.syntax import metrics

IN_CLUSTER = frozenset({"namespace", "pod"})
"""What every target has there, and only there."""


@dataclass(frozen=True)
class Question:
    """An expression and where it stands. An alert's may be empty; `labels` are what a rule adds to its result."""

    where: str
    expr: str
    record: str = ""
    is_alert: bool = False
    labels: frozenset[str] = frozenset()
    annotations: Mapping[str, str] = field(default_factory=dict)


@cache
def rules() -> list[Question]:
    """In their order."""
    groups: Sequence[Any] = yaml.safe_load(RULES.read_text())["groups"]
    return [_of_rule(rule) for group in groups for rule in group["rules"]]


@cache
def panels() -> list[Question]:
    """Also of variables and annotations."""
    return [Question(f"{each.board}: {each.panel}", each.expr) for each in expressions(boards())]


def everything() -> list[Question]:
    return [*rules(), *panels()]


def vocabulary(live: Known) -> dict[str, frozenset[str]]:
    """The labels of every name that may be read: what was scraped, what a cluster has, and what is recorded."""
    return with_recorded({name: labels | IN_CLUSTER for name, labels in live.items()} | dict(CLUSTER_LABELS))


@cache
def of_cluster() -> frozenset[str]:
    """Names of what only a cluster has, and of what is recorded from that."""
    found = set(CLUSTER_LABELS)
    for rule in rules():
        if rule.record and metrics(rule.expr) & found:
            found.add(rule.record)
    return frozenset(found)


def answerable(question: Question) -> Iterator[str]:
    """What must have an answer without a cluster: all of it, unless it may be empty, and every part of it."""
    whole = [] if question.is_alert else [question.expr]
    yield from (piece for piece in (*whole, *parts(question.expr)) if not metrics(piece) & of_cluster())


def _of_rule(rule: Mapping[str, Any]) -> Question:
    where = rule.get("alert") or rule["record"]
    labels = frozenset(rule.get("labels", {}))
    return Question(where, rule["expr"], rule.get("record", ""), "alert" in rule, labels, rule.get("annotations", {}))
