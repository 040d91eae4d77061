"""Every expression of the rules and the boards, against both servers as a real Prometheus has scraped them."""

import re
from collections.abc import Iterable

import pytest

from monitoring.cluster_metrics import CLUSTER_METRICS
from tests.assets import needs_assets
from tests.monitoring.labels import Known, Reading
from tests.monitoring.live.parts import matched
from tests.monitoring.live.prometheus import Prometheus
from tests.monitoring.live.questions import (
    IN_CLUSTER,
    Question,
    answerable,
    everything,
    of_cluster,
    rules,
    vocabulary,
)
from tests.monitoring.syntax import metrics

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]

EMPTY_BY_DESIGN = {"ALERTS": "nothing fires while all is well"}
"""Names whose series are there only when something is wrong, and why."""


@pytest.fixture(scope="module")
def known(watched: Prometheus) -> Known:
    return vocabulary(watched.labels())


def silent(prometheus: Prometheus, questions: Iterable[Question]) -> list[str]:
    """Those that Prometheus has no number for."""
    return [
        f"{question.where}: {piece}"
        for question in questions
        for piece in answerable(question)
        if not metrics(piece) <= EMPTY_BY_DESIGN.keys() and not prometheus.numbers(piece)
    ]


def strangers(prometheus: Prometheus, questions: Iterable[Question]) -> list[str]:
    """Values of labels that no series has which is asked for by them."""
    asked = {each for question in questions for each in matched(question.expr)}
    series = [
        f'{name}{{{label}="{value}"}}'
        for name, label, value in sorted(asked)
        if name not in of_cluster() | EMPTY_BY_DESIGN.keys()
    ]
    return [each for each in series if not prometheus.query(each)]


def faults(questions: Iterable[Question], known: Known) -> list[str]:
    """Names that nothing has and labels that nothing of that name has."""
    return [f"{question.where}: {fault}" for question in questions for fault in Reading(question.expr, known).faults]


def test_every_expression_has_data(watched: Prometheus) -> None:
    assert silent(watched, everything()) == []


def test_every_expression_is_taken_by_prometheus_itself(watched: Prometheus) -> None:
    for question in everything():
        watched.query(question.expr)


def test_every_name_and_label_is_there(known: Known) -> None:
    assert faults(everything(), known) == []


def test_every_value_that_is_asked_for_is_there(watched: Prometheus) -> None:
    """One of several that is misspelt leaves data all the same."""
    assert strangers(watched, everything()) == []


def test_what_is_recorded_has_the_labels_that_are_worked_out_for_it(watched: Prometheus, known: Known) -> None:
    live, absent = watched.labels(), of_cluster()
    recorded = {rule.record for rule in rules() if rule.record} - absent
    assert {name: known[name] - IN_CLUSTER for name in recorded} == {name: live[name] for name in recorded}


def test_every_label_in_an_alerts_texts_is_there(known: Known) -> None:
    missing = {
        f"{rule.where}: {label}"
        for rule in rules()
        for label in re.findall(r"\$labels\.(\w+)", " ".join(rule.annotations.values()))
        if label not in Reading(rule.expr, known).labels | rule.labels
    }
    assert missing == set()


def test_every_metric_of_a_cluster_is_read(known: Known) -> None:
    assert CLUSTER_METRICS.keys() <= {name for question in everything() for name in metrics(question.expr)}


SHARE = """
sum by (component, outcome) (rate(classifier_requests_total{revision!=""}[5m]))
/ on (component) group_left (slo)
component:classifier_slo_requests:rate5m{slo="availability"}
"""
QUANTILE = "histogram_quantile(0.9, sum by (le, stage) (rate(classifier_stage_duration_seconds_bucket[5m])))"


@pytest.mark.parametrize(
    ("expr", "right", "wrong"),
    [
        pytest.param(SHARE, "classifier_requests_total", "classifier_request_total", id="a name"),
        pytest.param(SHARE, "component:classifier_slo_requests", "slo:classifier_slo_requests", id="a recorded name"),
        pytest.param(SHARE, "revision!=", "revison!=", id="the label of a matcher"),
        pytest.param(SHARE, "by (component, outcome)", "by (component, result)", id="a label of by"),
        pytest.param(SHARE, "on (component)", "on (stage)", id="a label of on"),
        pytest.param(SHARE, "group_left (slo)", "group_left (objective)", id="a label of group_left"),
        pytest.param(SHARE, "by (component, outcome)", "without (component)", id="a label of on that was aggregated"),
        pytest.param(QUANTILE, "le, stage", "stage", id="a histogram without its buckets"),
        pytest.param(QUANTILE, "stage)", "code)", id="a label of another metric"),
    ],
)
def test_a_slip_of_the_pen_is_found(known: Known, expr: str, right: str, wrong: str) -> None:
    assert faults([Question("as it is", expr)], known) == []
    mutated = expr.replace(right, wrong)
    assert mutated != expr
    assert faults([Question("mutated", mutated)], known)


def test_a_slip_of_the_pen_is_found_wherever_it_is(known: Known) -> None:
    unnoticed = [
        f"{question.where}: {mutated}"
        for question in everything()
        for mutated in slips(question.expr)
        if not Reading(mutated, known).faults
    ]
    assert unnoticed == []


def slips(expr: str) -> list[str]:
    """The expression with each name and each label, wherever one stands, once a letter longer."""
    text = re.sub(r'"[^"]*"', lambda quoted: "\0" * len(quoted[0]), expr)
    places = [
        found.end()
        for found in re.finditer(r"[A-Za-z_][\w:]*", text)
        if re.match(r"\s*(=|!)", text[found.end() :]) or found[0] in metrics(expr) or _in_a_list(text, found.start())
    ]
    return [f"{expr[:place]}x{expr[place:]}" for place in places]


def _in_a_list(text: str, place: int) -> bool:
    """Of the labels of `by`, `without`, `on`, `ignoring`, `group_left` or `group_right`."""
    return re.search(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([\w\s,]*$", text[:place]) is not None


def test_a_value_that_nothing_has_is_found_among_others(watched: Prometheus) -> None:
    expr = 'classifier_requests_total{outcome=~"success|canceled"}'
    assert strangers(watched, [Question("mutated", expr)]) == ['classifier_requests_total{outcome="canceled"}']


@pytest.mark.parametrize(
    "expr",
    [
        pytest.param("rate(classifier_request_total[5m])", id="a name that nothing has"),
        pytest.param('classifier_requests_total{outcome="succeeded"}', id="a value that nothing has"),
        pytest.param("classifier_ready / on (instance) classifier_request_size", id="an operand that is not there"),
        pytest.param("0 * classifier_ready / (0 * classifier_ready)", id="a share of nothing"),
    ],
)
def test_what_has_no_data_is_found(watched: Prometheus, expr: str) -> None:
    assert silent(watched, [Question("mutated", expr)])
    assert silent(watched, [Question("mutated", f"{expr} > 0.5", is_alert=True)])
