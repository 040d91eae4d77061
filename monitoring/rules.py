"""Recording rules and alerts as Prometheus loads them, in one file or as the operator's PrometheusRule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from monitoring import recording
from monitoring.alerts import budget, canary, classic, cluster, model, saturation, serving, watching
from monitoring.alerts.alert import Alert
from monitoring.objectives import Objectives
from monitoring.recording import Recording

RUNBOOKS = "https://example.com/image-classifier/runbooks"
"""Where monitoring/runbooks is served: yours, with `python -m monitoring --runbooks`."""

HEAD = "# Written by `python -m monitoring`; its sources are monitoring/objectives.py, recording.py and alerts/.\n"

METADATA = {
    "name": "image-classifier",
    "labels": {
        "app.kubernetes.io/name": "image-classifier",
        "release": "kube-prometheus-stack",  # what that chart's Prometheus chooses rules by
    },
}


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other; `needs_cluster` where nothing else has what they read."""

    name: str
    rules: Sequence[Recording | Alert]
    needs_cluster: bool = False


def groups(objectives: Objectives | None = None) -> list[Group]:
    """All there are; what a rule reads is recorded before it."""
    promised = objectives or Objectives()
    return [
        _group("requests", recording.requests()),
        _group("budgets", [*recording.objectives(promised), *recording.budgets()]),
        _group("resources", recording.resources()),
        _group("confidence", recording.confidence()),
        _group("canaries", recording.canaries()),
        _group("autoscaling", recording.autoscaling(), needs_cluster=True),
        _group("classic-alerts", classic.ALERTS),
        _group("budget-alerts", budget.ALERTS),
        _group("canary-alerts", canary.ALERTS),
        _group("saturation-alerts", saturation.ALERTS),
        _group("serving-alerts", serving.ALERTS),
        _group("model-alerts", model.ALERTS),
        _group("watching-alerts", watching.ALERTS),
        _group("cluster-alerts", cluster.ALERTS, needs_cluster=True),
    ]


def alerts() -> list[Alert]:
    """Of all groups."""
    return [rule for group in groups() for rule in group.rules if isinstance(rule, Alert)]


def plain(objectives: Objectives | None = None, runbooks: str = RUNBOOKS) -> str:
    """A file for `rule_files` of Prometheus."""
    return HEAD + _text(document(groups(objectives), runbooks))


def custom_resource(objectives: Objectives | None = None, runbooks: str = RUNBOOKS) -> str:
    """The same groups for the Prometheus operator."""
    spec = document(groups(objectives), runbooks)
    return HEAD + _text(
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": METADATA, "spec": spec}
    )


def document(of: Iterable[Group], runbooks: str = RUNBOOKS) -> dict[str, Any]:
    """What the text says, as Prometheus reads it."""
    return {
        "groups": [{"name": group.name, "rules": [_rule(each, runbooks) for each in group.rules]} for group in of],
    }


def _group(name: str, rules: Iterable[Recording | Alert], *, needs_cluster: bool = False) -> Group:
    return Group(f"image-classifier-{name}", tuple(rules), needs_cluster)


def _rule(rule: Recording | Alert, runbooks: str) -> dict[str, Any]:
    expr = promql_parser.parse(rule.expr).prettify()  # a ValueError where it is no PromQL
    if isinstance(rule, Recording):
        labels = {"labels": dict(rule.labels)} if rule.labels else {}
        return {"record": rule.record, "expr": expr, **labels}
    return {
        "alert": rule.name,
        "expr": expr,
        "for": rule.lasting,
        "labels": {"severity": rule.severity, **dict(rule.labels)},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": f"{runbooks.rstrip('/')}/{rule.name}.md",
        },
    }


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines as they stand, and sequences indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _lines)


def _text(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
