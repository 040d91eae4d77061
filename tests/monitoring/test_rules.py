"""The rules as a whole: what promtool's linter says, and what it does not look at."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from monitoring import rules
from monitoring.alerts.alert import Alert
from monitoring.cluster_metrics import CLUSTER_METRICS
from monitoring.objectives import BURNS, PERIOD, WINDOWS, Objectives
from monitoring.recording import Recording
from serving.metrics import LATENCY_BUCKETS
from tests.monitoring import catalogue
from tests.monitoring.labels import Reading
from tests.monitoring.promtool import Rule, promtool
from tests.monitoring.promtool import rules as all_rules
from tests.monitoring.syntax import metrics, nodes

KNOWN = catalogue.labels()
COUNTERS = re.compile(r".+(_total|_bucket|_sum|_count)")
RATES = ("rate", "increase")


def calls(expr: str, *functions: str) -> Iterator[Any]:
    for node in nodes(expr):
        if isinstance(node, promql_parser.Call) and node.func.name in functions:
            yield node


def unsound(expr: str) -> list[str]:
    """What is valid PromQL and wrong."""
    found = [f"{node.func.name} looks at two samples" for node in calls(expr, "irate", "idelta")]
    for node in calls(expr, *RATES):
        name = node.args[0].vector_selector.name
        found += [] if COUNTERS.fullmatch(name) else [f"{name} is no counter"]
    for node in calls(expr, "histogram_quantile"):
        found += [] if keeps_edges(node.args[1]) else [f"a quantile without le: {node.args[1]}"]
    return found


def keeps_edges(buckets: Any) -> bool:
    """Whether what a quantile is taken of still has its edges."""
    if isinstance(buckets, promql_parser.AggregateExpr):
        return buckets.modifier is not None and "le" in buckets.modifier.labels
    return all("_bucket" in name for name in metrics(buckets.prettify()))


@pytest.mark.parametrize("text", [rules.plain(), rules.plain(Objectives(0.99, 0.94, 1.0), "https://wiki.example.com")])
def test_promtool_has_nothing_to_say(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    ran = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{len(all_rules())} rules found" in ran.stdout


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: getattr(rule, "name", None) or rule.record)
def test_an_expression_is_sound(rule: Rule) -> None:
    assert unsound(rule.expr) == []


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("irate(classifier_requests_total[5m])", "irate looks at two samples"),
        ("sum(rate(classifier_in_flight_requests[5m]))", "classifier_in_flight_requests is no counter"),
        ("histogram_quantile(0.9, sum by (component) (rate(x_bucket[5m])))", "a quantile without le"),
        ("histogram_quantile(0.9, revision:x:rate5m)", "a quantile without le"),
    ],
)
def test_an_unsound_expression_is_noticed(expr: str, said: str) -> None:
    assert said in "\n".join(unsound(expr))


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: getattr(rule, "name", None) or rule.record)
def test_an_expression_reads_what_there_is_by_labels_that_it_has(rule: Rule) -> None:
    assert Reading(rule.expr, KNOWN).faults == []


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert.name)
def test_a_description_names_labels_that_the_alert_has(alert: Alert) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", alert.description))
    assert named <= Reading(alert.expr, KNOWN).labels | dict(alert.labels).keys()


def test_what_needs_a_cluster_stands_in_groups_of_its_own() -> None:
    for group in rules.groups():
        read = set[str]().union(*(metrics(rule.expr) for rule in group.rules))
        of_cluster = {name for name in read if name in CLUSTER_METRICS}
        assert group.needs_cluster or not of_cluster, (group.name, of_cluster)


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert.name)
def test_an_alert_says_what_it_is_where_and_what_to_do(alert: Alert) -> None:
    assert alert.severity in ("critical", "warning", "info")
    assert re.fullmatch(r"[1-9]\d*[mh]", alert.lasting)
    assert "{{" not in alert.summary
    assert alert.summary.endswith(".")
    assert "{{" in alert.description or alert.name == "Watchdog"


def test_every_alert_has_the_address_of_its_runbook() -> None:
    written = rules.document(rules.groups(), "https://wiki.example.com/books/")
    named = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in written["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert named == {alert.name: f"https://wiki.example.com/books/{alert.name}.md" for alert in rules.alerts()}


@pytest.mark.parametrize(
    ("name", "limit", "lasting"),
    [
        ("ServiceDown", "== 0", "1m"),
        ("HighLatencyP95", "> 0.5", "5m"),
        ("HighErrorRate", "> 0.05", "5m"),
        ("HighCPU", "> 0.8", "10m"),
        ("HighMemory", "> 0.85", "10m"),
    ],
)
def test_the_classic_five_are_what_was_asked_for(name: str, limit: str, lasting: str) -> None:
    (alert,) = [alert for alert in rules.alerts() if alert.name == name]
    assert limit in alert.expr
    assert alert.lasting == lasting


def test_what_is_recorded_is_named_level_metric_operation() -> None:
    names = {rule.record for rule in all_rules() if isinstance(rule, Recording)}
    assert [name for name in names if not re.fullmatch(r"[a-z]+:[a-z0-9_]+:[a-z0-9_]+", name)] == []


def test_every_window_of_a_burn_is_recorded() -> None:
    assert {window for burn in BURNS for window in (burn.short, burn.long)} == set(WINDOWS)
    assert PERIOD not in WINDOWS


@pytest.mark.parametrize("edge", LATENCY_BUCKETS)
def test_every_edge_of_the_histogram_may_be_promised(edge: float) -> None:
    assert f'le="{edge}"' in rules.plain(Objectives(latency_seconds=edge))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"availability": 1.0}, "availability: expected a share between 0.9306 and 1, got 1.0"),
        ({"latency": 0.93}, "latency: expected a share between 0.9306 and 1, got 0.93"),
        ({"latency": 95}, "latency: expected a share between 0.9306 and 1, got 95"),
        (
            {"latency_seconds": 0.3},
            r"latency_seconds: expected one of the histogram's edges \(0.001, .*20.0\), got 0.3",
        ),
    ],
)
def test_an_objective_that_cannot_be_is_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Objectives(**given)
