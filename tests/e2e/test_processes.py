"""What the two processes load, and the environment that a transformer needs."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.assets import needs_assets
from tests.e2e import loaded_modules
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process, free_port, pair

pytestmark = [needs_assets, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
PROBE = (sys.executable, loaded_modules.__file__)


@pytest.fixture
def probed(squeezenet: Path, tmp_path: Path) -> Iterator[Pair]:
    made = pair(squeezenet, tmp_path)
    for process in (made.predictor, made.transformer):
        process.command = PROBE
        process.settings = {**process.settings, "MODULES_FILE": str(tmp_path / f"{process.module}.json")}
    yield made.start()
    made.end()


def loaded(process: Process) -> tuple[set[str], list[str]]:
    """Names in the process's `sys.modules`, and the packages that its event loops are of."""
    file = Path(process.settings["MODULES_FILE"])
    process.signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    found = json.loads(file.read_text())
    return set(found["modules"]), found["loops"]


def test_ready_processes_have_loaded_only_what_the_design_allows(probed: Pair) -> None:
    answer = httpx.post(f"{probed.transformer.url}/predict", files={"file": samples()[0].data}, timeout=30)
    assert answer.status_code == 200
    (transformer, *loops), (predictor, *others) = loaded(probed.transformer), loaded(probed.predictor)
    assert loops == others == [["uvloop"]]
    assert {"kserve", "PIL", "uvloop", "transformer.model"} <= transformer
    assert transformer.isdisjoint({"torch", "torchvision", "bundle", "predictor", "openvino"})
    assert {"kserve", "uvloop", "openvino", "predictor.model"} <= predictor
    assert predictor.isdisjoint({"transformer", "bundle.maker", "torch", "torchvision", "PIL", "nncf"})
    assert predictor.isdisjoint({"openvino_telemetry"})
    assert (transformer | predictor).isdisjoint({"opentelemetry.sdk", "opentelemetry.exporter"})


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with the extra `transformer` alone."""
    home = tmp_path_factory.mktemp("slim") / "venv"
    python = home / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, home], check=True)
    arguments = ["pip", "install", "--quiet", "--python", str(python), "--constraints", f"{ROOT}/constraints.txt"]
    subprocess.run([UV, *arguments, "--editable", f"{ROOT}[transformer]"], check=True)
    return python


@pytest.mark.timeout(600)
def test_a_transformer_runs_in_an_environment_without_torch(servers: Pair, slim: Path, tmp_path: Path) -> None:
    torch = subprocess.run([slim, "-c", "import torch"], capture_output=True, text=True)
    assert "No module named 'torch'" in torch.stderr
    transformer = replace(
        servers.transformer,
        command=(str(slim), "-m"),
        log=tmp_path / "log",
        http_port=free_port(),
        grpc_port=free_port(),
    )
    transformer.http_port, transformer.grpc_port = (
        Process("", {}, tmp_path).http_port,
        Process("", {}, tmp_path).grpc_port,
    )
    try:
        transformer.start().until()
        answer = httpx.post(f"{transformer.url}/predict", files={"file": samples()[0].data}, timeout=30)
        assert answer.json()["predictions"][0]["label"] == "Egyptian cat"
        assert transformer.stop() == 0
    finally:
        transformer.end()
