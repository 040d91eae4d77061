"""What is generated is what is committed, and both forms of the rules are the same and load."""

import sys
from pathlib import Path
from subprocess import run

import pytest
import yaml

from monitoring import rules
from monitoring.__main__ import differing, generated, main
from tests.assets import PROJECT, needs_crds
from tests.manifests.schemas import problems

MONITORING = PROJECT / "monitoring"


def test_what_is_committed_is_what_is_generated() -> None:
    assert differing(generated(), MONITORING) == []


def test_nothing_lies_beside_the_generated_boards() -> None:
    boards = {path.relative_to(MONITORING).as_posix() for path in (MONITORING / "grafana" / "boards").iterdir()}
    assert boards == {name for name in generated() if name.startswith("grafana/boards/")}


def test_both_forms_hold_the_same_groups() -> None:
    assert yaml.safe_load(rules.plain()) == yaml.safe_load(rules.custom_resource())["spec"]


@needs_crds
def test_the_custom_resource_keeps_its_schema() -> None:
    assert problems(yaml.safe_load(rules.custom_resource())) == []


@needs_crds
@pytest.mark.parametrize(
    ("field", "value"), [("for", "1 minute"), ("severity", "critical"), ("annotations", {"runs": 1})]
)
def test_a_slip_in_the_custom_resource_is_refused(field: str, value: object) -> None:
    resource = yaml.safe_load(rules.custom_resource())
    resource["spec"]["groups"][-1]["rules"][-1][field] = value
    assert problems(resource) != []


def test_check_tells_what_differs_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "prometheus" / "rules.yaml").write_text("groups: []\n")
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out == "prometheus/rules.yaml: differs from what is generated\n"
    assert (tmp_path / "prometheus" / "rules.yaml").read_text() == "groups: []\n"


def test_other_objectives_give_other_rules(tmp_path: Path) -> None:
    options = [
        "--availability",
        "0.995",
        "--latency",
        "0.94",
        "--latency-seconds",
        "0.25",
        "--runbooks",
        "https://wiki",
    ]
    assert main(options, tmp_path) == 0
    written = (tmp_path / "prometheus" / "rules.yaml").read_text()
    for said in ("vector(0.995)", "vector(0.94)", 'le="0.25"', "runbook_url: https://wiki/ServiceDown.md"):
        assert said in written


def test_an_objective_that_cannot_be_ends_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "monitoring", "--latency-seconds", "0.3"]
    ran = run(command, cwd=PROJECT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "error: latency_seconds: expected one of the histogram's edges (0.001, " in ran.stderr
