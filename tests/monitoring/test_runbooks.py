"""Every alert has a runbook that helps: four sections, and no name in it that is nowhere else."""

import re
from pathlib import Path

import pytest

from monitoring.rules import alerts
from tests.assets import PROJECT
from tests.monitoring import catalogue
from tests.monitoring.labels import Reading

RUNBOOKS = PROJECT / "monitoring" / "runbooks"
BOOKS = sorted(path.stem for path in RUNBOOKS.iterdir())
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation")

KNOWN = catalogue.labels()
SETTING = re.compile(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")
METRIC = re.compile(r"`((?:classifier|kn|kube|container|process)_[a-z0-9_]+)(?:\{[^`]*)?`")


def book(name: str) -> str:
    return (RUNBOOKS / f"{name}.md").read_text()


def sections(text: str) -> dict[str, str]:
    """Title to what stands under it."""
    titles = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(titles[::2], map(str.strip, titles[1::2]), strict=True))


def expressions(text: str) -> list[str]:
    """What stands in fences of PromQL, one after an empty line each."""
    fences = re.findall(r"^```promql\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [expr for fence in fences for expr in re.split(r"\n\n+", re.sub(r"\s+# .*", "", fence).strip())]


def faults(text: str) -> list[str]:
    """Names and labels that are nowhere, in expressions and between backticks."""
    named = [f"{name}: nothing is called so" for name in METRIC.findall(text) if name not in KNOWN]
    return [*named, *(fault for expr in expressions(text) for fault in Reading(expr, KNOWN).faults)]


def test_alerts_and_runbooks_are_pairs() -> None:
    assert set(BOOKS) == {alert.name for alert in alerts()}


@pytest.mark.parametrize("name", BOOKS)
def test_a_runbook_has_its_four_sections(name: str) -> None:
    assert book(name).startswith(f"# {name}\n")
    assert tuple(sections(book(name))) == SECTIONS
    assert all(sections(book(name)).values())


@pytest.mark.parametrize("name", BOOKS)
def test_every_metric_in_a_runbook_is_exported_recorded_or_known_of_a_cluster(name: str) -> None:
    assert faults(book(name)) == []


@pytest.mark.parametrize("name", BOOKS)
def test_every_setting_in_a_runbook_is_documented(name: str) -> None:
    documented = set(re.findall(r"^\| `(\w+)`", (PROJECT / "docs" / "settings.md").read_text(), flags=re.MULTILINE))
    assert set(SETTING.findall(book(name))) - documented == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_make_target_in_a_runbook_is_one(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", book(name))) - targets == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_link_in_a_runbook_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", book(name))
    assert [link for link in links if not (RUNBOOKS / Path(link)).exists()] == []


@pytest.mark.parametrize(
    "text",
    [
        "```promql\nrate(classifier_request_total[5m])\n```",
        "```promql\nup == 0  # which\n\ncomponent:classifier_slo:rate5m\n```",
        "```promql\nsum by (stage) (classifier_ready)\n```",
        '`classifier_readyness{pod="a"}` is 0',
    ],
)
def test_a_metric_that_nobody_exports_is_noticed(text: str) -> None:
    assert faults(text)
