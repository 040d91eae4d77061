"""The runner as a process of its own, with stand-ins for the two servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from scripts.draw_sample import SAMPLE
from scripts.port import HOST, free
from tests.scripts.fake_server import Behaviour
from tests.scripts.processes import runs, wait_until

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Runner:
    """A run that was started, and what it left in `directory`."""

    process: subprocess.Popen[str]
    directory: Path
    port: int

    def note(self, server: str) -> Any:
        """Process id and settings of a stand-in."""
        note = self.directory / f"{server}.json"
        wait_until(lambda: note.exists() and note.read_text().endswith("}"))
        return json.loads(note.read_text())

    def read_until(self, text: str) -> str:
        """What it printed, up to the line with `text`."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError(f"{text!r} was never printed, but {''.join(lines)}")

    def ended(self) -> tuple[int, str, str]:
        """Exit code, output and errors, once it has ended by itself or by a signal."""
        output, errors = self.process.communicate(timeout=20)
        return self.process.returncode, output, errors

    @property
    def left_over(self) -> list[str]:
        """The stand-ins that still run and the logs that are still there."""
        servers = [path.name for path in self.directory.glob("*.json") if runs(json.loads(path.read_text())["pid"])]
        return servers + [path.name for path in self.directory.glob("image-classifier-*")]


@contextmanager
def runner(
    directory: Path,
    predictor: Behaviour = "good",
    transformer: Behaviour = "good",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Runner]:
    port = free(1)[0]
    bundle = directory / "bundle"
    bundle.mkdir()
    (bundle / "model.json").write_text("{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripts.fake_run", predictor, transformer, str(directory)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(directory), "MODEL_DIR": str(bundle), "PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Runner(process, directory, port)
        finally:
            process.kill()


def test_a_run_classifies_the_sample_and_names_its_addresses(tmp_path: Path) -> None:
    with runner(tmp_path) as run:
        output = run.read_until("Ctrl-C stops both servers.")
    assert f"{SAMPLE.relative_to(ROOT)} is, says resnet50 (version 1):" in output
    assert "  1  traffic light   75.00%" in output
    for path in ("predict", "docs", "metrics", "ui"):
        assert f"http://{HOST}:{run.port}/{path}\n" in output


def test_the_servers_get_their_settings(tmp_path: Path) -> None:
    with runner(
        tmp_path, environment={"MODEL_NAME": "cats", "MODEL_DIR": os.path.relpath(tmp_path / "bundle", ROOT)}
    ) as run:
        run.read_until("Ctrl-C stops both servers.")
        predictor, transformer = run.note("predictor")["settings"], run.note("transformer")["settings"]
    assert predictor["MODEL_DIR"] == str(tmp_path / "bundle")
    assert predictor["ALLOW_UNTRAINED"] == "true"
    assert {predictor["HOST"], transformer["HOST"]} == {HOST}
    assert {predictor["MODEL_NAME"], transformer["MODEL_NAME"]} == {"cats"}
    assert transformer["HTTP_PORT"] == str(run.port)
    assert transformer["PREDICTOR_HOST"] == f"{HOST}:{predictor['GRPC_PORT']}"
    ports = [settings[name] for settings in (predictor, transformer) for name in ("HTTP_PORT", "GRPC_PORT")]
    assert len(set(ports)) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_both_servers_leaves_nothing_and_succeeds(
    tmp_path: Path, number: signal.Signals
) -> None:
    with runner(tmp_path) as run:
        run.read_until("Ctrl-C stops both servers.")
        run.process.send_signal(number)
        code, output, errors = run.ended()
    assert (code, errors) == (0, "")
    assert "stopping" in output
    assert run.left_over == []


def test_a_run_can_be_interrupted_before_it_is_ready(tmp_path: Path) -> None:
    with runner(tmp_path, transformer="never ready") as run:
        wait_until((tmp_path / "transformer.json").exists)
        run.process.send_signal(signal.SIGINT)
        code, _, errors = run.ended()
    assert (code, errors) == (0, "")
    assert run.left_over == []


def interrupted(process: "subprocess.Popen[str]") -> bool:
    """Whether the process has ended, else interrupted again: the wait that one interrupt cuts short may be another."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    return process.poll() is not None


def test_a_second_interrupt_kills_a_server_that_will_not_stop(tmp_path: Path) -> None:
    with runner(tmp_path, predictor="stubborn") as run:
        run.read_until("Ctrl-C stops both servers.")
        run.process.send_signal(signal.SIGINT)
        wait_until(lambda: not runs(run.note("transformer")["pid"]))
        assert runs(run.note("predictor")["pid"])
        wait_until(lambda: interrupted(run.process))
        assert run.ended()[0] == 0
    assert run.left_over == []


def test_servers_end_with_a_runner_that_was_killed(tmp_path: Path) -> None:
    with runner(tmp_path) as run:
        run.read_until("Ctrl-C stops both servers.")
        run.process.kill()
        wait_until(lambda: not any(runs(run.note(server)["pid"]) for server in ("predictor", "transformer")))


@pytest.mark.parametrize(
    ("dead", "predictor", "transformer"), [("predictor", "dies", "good"), ("transformer", "good", "dies")]
)
def test_a_server_that_dies_at_its_start_is_named_in_one_line_with_what_it_said_last(
    tmp_path: Path, dead: str, predictor: Behaviour, transformer: Behaviour
) -> None:
    with runner(tmp_path, predictor, transformer) as run:
        code, _, errors = run.ended()
    assert code == 1
    (line,) = errors.splitlines()
    assert line.startswith(f"error: the {dead} ended with exit code 1: no such weights (its log: {tmp_path}")
    assert [name for name in run.left_over if name.endswith(".json")] == []


def test_a_server_that_dies_later_ends_the_run(tmp_path: Path) -> None:
    with runner(tmp_path) as run:
        run.read_until("Ctrl-C stops both servers.")
        os.kill(run.note("predictor")["pid"], signal.SIGKILL)
        code, _, errors = run.ended()
        assert not runs(run.note("transformer")["pid"])
    assert code == 1
    assert errors.startswith("error: the predictor ended by signal SIGKILL: ")


def test_a_server_that_dies_of_the_photo_is_the_error_not_the_lost_answer(tmp_path: Path) -> None:
    with runner(tmp_path, transformer="dies when asked") as run:
        code, _, errors = run.ended()
    assert code == 1
    assert errors.startswith("error: the transformer ended with exit code 3: out of memory")


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("refuses", 'was answered with status 415: {"error": "not an image", "code": "unsupported_media"}'),
        ("answers nonsense", 'the transformer answered something else than predictions: {"predictions": "none"}'),
    ],
)
def test_an_answer_without_predictions_is_shown(tmp_path: Path, behaviour: Behaviour, error: str) -> None:
    with runner(tmp_path, transformer=behaviour) as run:
        code, _, errors = run.ended()
    assert code == 1
    assert errors.startswith("error: ")
    assert errors.endswith(f"{error}\n")
    assert not runs(run.note("predictor")["pid"])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("PORT", "web", "PORT: expected a number from 1 to 65535, got 'web'"),
        ("PHOTO", "no/such.jpg", "PHOTO: expected a file, got no/such.jpg"),
        ("PHOTO", "Makefile", "PHOTO: expected an image, got Makefile"),
        ("MODEL_DIR", "docs", "MODEL_DIR: expected a bundle (a directory with model.json), got docs"),
    ],
)
def test_a_wrong_choice_is_one_line_and_starts_nothing(tmp_path: Path, name: str, value: str, error: str) -> None:
    with runner(tmp_path, environment={name: value}) as run:
        assert run.ended() == (1, "", f"error: {error}\n")
    assert run.left_over == []


def test_a_port_in_use_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with runner(tmp_path, environment={"PORT": str(port)}) as run:
            assert run.ended() == (1, "", f"error: port {port} is in use; choose another with PORT=\n")
    assert run.left_over == []


def test_two_runs_stand_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with runner(tmp_path / "one") as one, runner(tmp_path / "two") as two:
        for run in (one, two):
            assert "traffic light" in run.read_until("Ctrl-C stops both servers.")
