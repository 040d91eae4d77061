"""Every command of the README gives the answer that stands there."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.assets import needs_assets
from tests.e2e.processes import Pair, free_port, pair

pytestmark = [needs_assets, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
VARYING = {"request_id", "inference_time_ms", "preprocessing_time_ms", "engine"}


def commands() -> list[tuple[str, str]]:
    """Command and output of each `$ ` in the README's console blocks."""
    blocks = re.findall(r"```console\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    return [_split(part.splitlines()) for part in parts]


def _split(lines: list[str]) -> tuple[str, str]:
    command = [lines[0], *(line[2:] for line in lines[1:] if line.startswith("> "))]
    return "\n".join(command), "\n".join(lines[len(command) :])


COMMANDS = commands()


@pytest.fixture(scope="module")
def documented(squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The README's servers on free ports: its addresses to the real ones."""
    files = free_port()
    made: Pair = pair(
        squeezenet, tmp_path_factory.mktemp("readme"), "squeezenet1_1", FETCH_ALLOWED_HOSTS=f"127.0.0.1:{files}"
    )
    arguments = [sys.executable, "-m", "http.server", str(files), "--bind", "127.0.0.1", "--directory", "docs"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as server:
        try:
            made.start()
            yield {
                "127.0.0.1:8080": f"127.0.0.1:{made.transformer.http_port}",
                "127.0.0.1:9000": f"127.0.0.1:{made.predictor.http_port}",
                "127.0.0.1:9001": made.predictor.grpc,
                "127.0.0.1:8000": f"127.0.0.1:{files}",
            }
        finally:
            made.end()
            server.terminate()


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_a_command_gives_the_answer_that_stands_there(documented: dict[str, str], number: int) -> None:
    command, told = COMMANDS[number]
    for written, real in documented.items():
        command = command.replace(written, real)
    run = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert same(read(told), read(run.stdout.strip())), run.stdout + run.stderr


def read(text: str) -> Any:
    return json.loads(text) if text.startswith("{") else text


def same(told: Any, given: Any) -> bool:
    """Equal, but for rounding and for what differs from run to run."""
    if isinstance(told, dict) and isinstance(given, dict):
        return told.keys() == given.keys() and all(key in VARYING or same(told[key], given[key]) for key in told)
    if isinstance(told, list) and isinstance(given, list):
        return len(told) == len(given) and all(map(same, told, given))
    if isinstance(told, float):
        return bool(given == pytest.approx(told, abs=1e-4))
    return bool(told == given)
