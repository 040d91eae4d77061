"""Every expression of every board means something: in PromQL, and of the metrics that there are."""

import json
import re
from typing import Any

import promql_parser
import pytest

from monitoring.grafana import boards
from monitoring.rules import groups
from scripts import metrics_table
from tests.monitoring import catalogue
from tests.monitoring.expressions import expressions, filled_in
from tests.monitoring.labels import Reading
from tests.monitoring.syntax import metrics, nodes

BOARDS = boards()
KNOWN = catalogue.labels()
COUNTED = ("_total", "_bucket", "_sum", "_count")

DEBUG = {"request_explain_seconds"}
"""Shown nowhere: kserve's, of a door that is not offered."""

SENSELESS = {
    "a metric that nobody exports": "sum(rate(classifier_request_total[5m]))",
    "a label that a metric has not": 'classifier_requests_total{result="success"}',
    "grouping by a label that is not there": "sum by (stage) (rate(classifier_requests_total[5m]))",
    "grouping by a label that is gone": "sum by (route) (sum by (code) (rate(classifier_requests_total[5m])))",
    "sides that never match": "sum by (route) (rate(classifier_requests_total[5m])) / classifier_ready",
    "matching on a label that one side has not": "classifier_ready * on (route) classifier_requests_total",
    "the rate of a gauge": "rate(classifier_in_flight_requests[5m])",
    "a quantile without le": "histogram_quantile(0.9, sum(rate(classifier_request_duration_seconds_bucket[5m])))",
}


@pytest.mark.parametrize("name", BOARDS)
def test_every_expression_means_something(name: str) -> None:
    of_board = expressions({name: BOARDS[name]})
    assert len(of_board) > len(panels(name))
    assert [(each.panel, fault) for each in of_board for fault in faults(each.expr)] == []


@pytest.mark.parametrize("expr", SENSELESS.values(), ids=SENSELESS)
def test_one_that_means_nothing_is_noticed(expr: str) -> None:
    assert faults(expr)


@pytest.mark.parametrize("name", BOARDS)
def test_a_legend_names_labels_that_the_result_has(name: str) -> None:
    for panel in panels(name):
        for target in panel["targets"]:
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert named <= Reading(filled_in(target["expr"]), KNOWN).labels, panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_a_variable_lists_values_of_a_label_that_its_series_have(name: str) -> None:
    for variable in json.loads(BOARDS[name])["templating"]["list"]:
        if variable["type"] == "query":
            series, _, label = variable["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
            assert label in Reading(filled_in(series), KNOWN).labels


def test_every_metric_of_the_catalogue_is_shown_or_watched() -> None:
    read = {metric for each in expressions(BOARDS) for metric in metrics(each.expr)}
    read |= {metric for group in groups() for rule in group.rules for metric in metrics(rule.expr)}
    unread = {
        name
        for name in map(metrics_table.name, catalogue.collectors())
        if not read & {name, f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    }
    assert unread == DEBUG


def test_variables_and_macros_are_filled_in() -> None:
    expr = 'rate(up{job=~"$job", a=~"($b)-c", d=~"${e:regex}"}[$__rate_interval]) + increase(up[$__range])'
    assert filled_in(expr) == 'rate(up{job=~".*", a=~"(.*)-c", d=~".*"}[5m]) + increase(up[1h])'


def panels(name: str) -> list[Any]:
    return [panel for panel in json.loads(BOARDS[name])["panels"] if panel["type"] != "row"]


def faults(expr: str) -> list[str]:
    """Names and labels that are not there, sides that never match, and rates of what does not count."""
    rated = (node.args[0].vector_selector.name for node in nodes(expr) if is_rate(node))
    return [*Reading(expr, KNOWN).faults, *(f"{name} is no counter" for name in rated if not name.endswith(COUNTED))]


def is_rate(node: Any) -> bool:
    return isinstance(node, promql_parser.Call) and node.func.name in ("rate", "irate", "increase")
