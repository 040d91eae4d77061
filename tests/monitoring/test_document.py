"""`docs/monitoring.md` names the alerts, receivers, boards, files and targets that there are."""

import re
from pathlib import Path

import pytest
import yaml

from monitoring import rules
from monitoring.objectives import Objectives
from tests.assets import PROJECT
from tests.manifests.rendered import built, of_kind
from tests.scripts.test_makefile import make

DOCUMENT = PROJECT / "docs" / "monitoring.md"
TEXT = DOCUMENT.read_text()
TARGETS = sorted(set(re.findall(r"make ([a-z][a-z0-9-]+)", TEXT)))


def rows(heading: str) -> list[list[str]]:
    """Of the first table under a heading, without its own two first lines."""
    lines = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return cells[2:]


def test_every_alert_stands_there_with_its_severity() -> None:
    told = {(severity.strip("`"), name) for severity, _, names in rows("Alerts") for name in names.split(", ")}
    assert told == {(alert.severity, alert.name) for alert in rules.alerts()}


def test_every_severity_reaches_the_receiver_that_stands_there() -> None:
    route = yaml.safe_load((PROJECT / "monitoring" / "alertmanager" / "alertmanager.yaml").read_text())["route"]
    routed = {each["matchers"][0]: each["receiver"] for each in route["routes"]}
    for severity, told, _ in rows("Alerts"):
        receiver = routed.get(f'severity="{severity.strip("`")}"', route["receiver"])
        assert told.startswith(f"`{receiver}`")


def test_every_board_stands_there_by_its_title() -> None:
    titles = [re.search(r'"title": "Image classifier / ([^"]+)"', text) for text in boards().values()]
    assert sorted(title[1] for title in titles if title) == sorted(name for name, _ in rows("Boards"))


def test_the_objectives_stand_there() -> None:
    promised = Objectives()
    sentence = (
        f"{100 * promised.availability:g} % of the requests are not failed by the service, and "
        f"{100 * promised.latency:g} % are answered within {promised.latency_seconds} s"
    )
    assert sentence in " ".join(TEXT.split())


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_of_make_is_there(target: str) -> None:
    assert target in {line.split()[0] for line in make().stdout.splitlines() if line}


def test_every_path_is_there() -> None:
    paths = re.findall(r"(?<![./\w-])(?:monitoring|manifests|docs|serving|predictor|transformer)/[\w/.-]*\w", TEXT)
    assert "monitoring/kubernetes/knative/observability.yaml" in paths
    assert [path for path in paths if not (PROJECT / path).exists()] == []
    links = re.findall(r"\]\((?!http)([^)#]+)", TEXT)
    assert [link for link in links if not (DOCUMENT.parent / link).exists()] == []


def test_the_kustomization_that_stands_there_is_built(tmp_path: Path) -> None:
    first, release = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    root = f"{'../' * len(tmp_path.parts[1:])}{PROJECT.relative_to('/')}"
    (tmp_path / "kustomization.yaml").write_text(first.replace("../image-classifier", root) + release)
    documents = built(tmp_path)
    assert of_kind("InferenceService", documents)
    named = {each["kind"]: each["metadata"]["labels"].get("release") for each in documents}
    assert {kind: release for kind, release in named.items() if release} == {
        "PodMonitor": "NAME",
        "PrometheusRule": "NAME",
    }


def boards() -> dict[str, str]:
    return {path.name: path.read_text() for path in (PROJECT / "monitoring" / "grafana" / "boards").glob("*.json")}
