import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bundle import reading
from bundle.__main__ import main
from tests.assets import WEIGHTS, needs_assets

SMALL = ["--arch", "squeezenet1_1", "--weights", "untrained", "--resize", "64", "--crop", "64"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "bundle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=120)


@needs_assets
def test_a_bundle_is_made_from_a_state_dict(tmp_path: Path) -> None:
    done = run("make", "--arch", "squeezenet1_1", "--out", str(tmp_path / "out"), "--weights", str(WEIGHTS))
    assert (done.returncode, done.stderr) == (0, "")
    bundle = reading.read(tmp_path / "out")
    assert done.stdout == (
        f"{tmp_path / 'out'}: squeezenet1_1, version {bundle.record.version}, 1000 classes, "
        "resize 256, crop 224, 10.0 MB, graphs: float32\n"
    )


def test_untrained_weights_are_said_loudly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "--out", str(tmp_path / "out"), *SMALL, "--no-graph"]) == 0
    assert "UNTRAINED" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "model.json").read_text())["trained"] is False


@pytest.mark.slow
def test_a_graph_for_benchmarks_is_made_without_photos_and_said_loudly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["make", "--out", str(out), *SMALL]) == 0
    weights = (out / "openvino" / "float32.bin").read_bytes()
    assert "int8" not in capsys.readouterr().out
    assert main(["quantise", str(out), "--benchmark-only"]) == 0
    assert "The int8 graph is for BENCHMARKS ONLY" in capsys.readouterr().out
    graphs = reading.read(out).record.graphs
    assert (graphs["float32"].benchmark_only, graphs["int8"].benchmark_only) == (False, True)
    assert graphs["int8"].agreement is None
    assert (out / "openvino" / "float32.bin").read_bytes() == weights


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "int8: expected a folder of photos to calibrate with, got none"),
        (["--int8-holdout", "photos"], "int8: expected a folder of photos to calibrate with, got none"),
        (["--int8-calibration", "nowhere"], "graphs: expected float32, which int8 is made of, got none"),
    ],
)
def test_int8_that_cannot_be_made_is_said_in_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(["quantise", str(directory), *arguments]) == 1
    assert capsys.readouterr().err == f"python -m bundle: {text}\n"
    assert [path.name for path in directory.parent.iterdir()] == ["bundle"]


def test_a_bundle_without_graph_is_made_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "--out", str(tmp_path / "out"), "--no-graph", *SMALL]) == 0
    assert "graphs: none" in capsys.readouterr().out
    assert reading.read(tmp_path / "out").record.graphs == {}


def test_a_bundle_is_replaced_when_forced(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "--out", str(directory), *SMALL, "--no-graph"]) == 1
    assert capsys.readouterr().err == f"python -m bundle: {directory}: exists (--force replaces it)\n"
    assert reading.read(directory).record.architecture.name == "googlenet"
    assert main(["make", "--out", str(directory), *SMALL, "--no-graph", "--force"]) == 0
    assert reading.read(directory).record.architecture.name == "squeezenet1_1"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--arch", "resnet5"], "torchvision has no classification network 'resnet5' (resnet50, "),
        (["--weights", "missing.pth"], "weights: expected untrained, a file, or one of "),
        (["--labels", "missing.txt"], "No such file or directory: 'missing.txt'"),
        (["--crop", "300"], "preprocessing: crop (300) should not be larger than resize (232)"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(["make", "--out", str(tmp_path / "out"), *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("python -m bundle: ")
    assert text in shown.err
    assert shown.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["make", "--out", str(tmp_path / "file" / "out"), *SMALL]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bake"],
        ["make"],
        ["make", "--out", "x", "--seed", "-1"],
        ["make", "--out", "x", "--seed", "9223372036854775808"],
        ["make", "--out", "x", "--crop", "big"],
        ["quantise"],
        ["quantise", "x", "--int8-agreement", "99"],
        ["quantise", "x", "--int8-margin", "little"],
        ["quantise", "x", "--int8-ranges", "wide"],
    ],
)
def test_wrong_usage_is_refused_without_loading_torch(arguments: list[str]) -> None:
    code = f"import sys, bundle.__main__ as m\ntry: m.main({arguments})\nfinally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert "usage: python -m bundle" in done.stderr


def test_without_network_nothing_is_made_and_the_exit_status_tells(tmp_path: Path) -> None:
    """The way to torchvision's server leads through a proxy on the loopback interface that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = run("make", "--out", str(tmp_path / "out"), https_proxy=proxy, TORCH_HOME=str(tmp_path / "home"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "resnet50-11ad3fa6.pth failed: " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_ended_download_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a proxy that never answers
        silent.settimeout(60)
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = os.environ | {"https_proxy": proxy, "TORCH_HOME": str(tmp_path / "home")}
        command = [sys.executable, "-m", "bundle", "make", "--out", str(tmp_path / "out")]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGTERM)
            _, shown = process.communicate(timeout=60)
            connection.close()
    assert (process.returncode, shown) == (128 + signal.SIGTERM, "")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
