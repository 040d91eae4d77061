"""`make run`, as a person runs it: real servers, a photo classified, Ctrl-C leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.assets import PHOTOS, needs_assets
from tests.e2e.processes import free_port

pytestmark = [needs_assets, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
RUN = (sys.executable, "-m", "scripts.run")


@contextmanager
def started(command: tuple[str, ...], output: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A run in a session of its own, as a terminal gives it; ended whatever happens."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(output: Path, words: str) -> str:
    deadline = time.monotonic() + 90
    while words not in (text := output.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def test_a_run_classifies_the_photo_and_stops_on_ctrl_c(squeezenet: Path, tmp_path: Path) -> None:
    port, output = free_port(), tmp_path / "output"
    photo = str(PHOTOS / "chelsea.png")
    settings = {"MODEL_DIR": str(squeezenet), "PHOTO": photo, "PORT": str(port), "PRECISION": "float32"}
    with started(RUN, output, **settings) as run:
        text = until(output, "Ctrl-C stops")
        assert re.search(r"1 +Egyptian cat +71\.1", text), text
        for path in ("/predict", "/docs", "/metrics"):
            assert f"http://127.0.0.1:{port}{path}" in text
        assert httpx.get(f"http://127.0.0.1:{port}/model/info").json()["model_name"] == "resnet50"
        servers = children(run.pid)
        assert len(servers) == 2
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(60) == 0
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]


def test_two_runs_stand_side_by_side(squeezenet: Path, tmp_path: Path) -> None:
    ports, outputs = (free_port(), free_port()), (tmp_path / "one", tmp_path / "two")
    with (
        started(RUN, outputs[0], MODEL_DIR=str(squeezenet), PORT=str(ports[0]), MODEL_NAME="one") as one,
        started(("make", "run"), outputs[1], MODEL_DIR=str(squeezenet), PORT=str(ports[1]), MODEL_NAME="two") as two,
    ):
        for output in outputs:
            assert "traffic light" in until(output, "Ctrl-C stops"), "the sample photo"
        names = [httpx.get(f"http://127.0.0.1:{port}/v1/models").json()["models"] for port in ports]
        assert names == [["one"], ["two"]]
        for run in (one, two):
            os.killpg(run.pid, signal.SIGINT)
            run.wait(60)
    for port in ports:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/health")
