"""The whole harness, for a moment, on a small network."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bundles import make_bundle


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rounds", "0"), "--rounds: expected at least 1, got 0"),
        (("--seconds", "0"), "--seconds: expected more than 0, got 0"),
        (("--python", "litserve"), "--python: expected NAME=PATH, got 'litserve'"),
        (("--with", "INFERENCE_STREAMS"), "--with: expected NAME=VALUE, got 'INFERENCE_STREAMS'"),
    ],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...], said: str) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert said in refused.stderr


def test_what_is_no_bundle_is_refused_in_one_line(tmp_path: Path) -> None:
    refused = run("--bundle", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr == f"error: --bundle: expected a bundle (a directory with model.json), got {tmp_path}\n"


@pytest.mark.slow
def test_a_run_measures_every_contender_and_writes_figures_and_drawing(tmp_path: Path) -> None:
    bundle = tmp_path / "squeezenet1_1"
    make_bundle(bundle, "--arch", "squeezenet1_1", "--weights", "untrained")
    figures, drawing = tmp_path / "figures.json", tmp_path / "drawing.svg"
    finished = run(
        *("--bundle", str(bundle), "--rounds", "1", "--seconds", "0.5", "--only", "plain,bfloat16,strong"),
        *("--loads", "640x480 c=20", "--json", str(figures), "--plot", str(drawing)),
    )
    assert "| PSS after load in MB, ours bfloat16 |" in finished.stdout, finished.stderr[-3000:]
    found = json.loads(figures.read_text())
    names = ["plain", "ours bfloat16", "strong"]
    ways = [f"floor bfloat16 {way}" for way in ("serial", "batch 8", "overlapped")]
    assert [each["contender"] for each in found["cells"]] == names + ways
    assert [each["contender"] for each in found["starts"]] == names + ways
    assert {each["first_error"] for each in found["cells"]} == {""}
    assert all(each["cpu_ms"] > 0 and each["p50_ms"] <= each["p99_ms"] for each in found["cells"])
    assert all(each["pss_bytes"] > 30e6 and each["ready_seconds"] > 0 for each in found["starts"])
    assert found["settings"]["precisions"] == {"ours bfloat16": "bfloat16"}
    assert found["predictor_starts"][0]["import_seconds"] > 0
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")  # noqa: S314  # ours


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "benchmarks", *argv], capture_output=True, text=True)
