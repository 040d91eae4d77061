"""Documents whose `console` blocks are run: each `$ ` command has to give the answer that stands below it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import Pair, free_port, pair

ROOT = Path(__file__).resolve().parents[2]
COUNTED = {"count", "ns", "last_inference", "inference_count", "execution_count"}
VARYING = {"request_id", "inference_time_ms", "preprocessing_time_ms", "engine"} | COUNTED
_CLASSIFIED = re.compile(r"[0-9.e-]+:\d+:")
"""The start of `value:index:label`, whose last digits differ between processors."""

Addresses = Mapping[str, str]
"""From the addresses that stand in the documents to those of the servers that run."""


@dataclass(frozen=True)
class Command:
    """A command of the shell, and what the document says that it prints."""

    text: str
    told: str

    def run(self, addresses: Addresses) -> "subprocess.CompletedProcess[str]":
        text = self.text
        for written, real in addresses.items():
            text = text.replace(written, real)
        return subprocess.run(["bash", "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=60)

    def check(self, addresses: Addresses) -> None:
        """Fails unless the command prints what is told."""
        run = self.run(addresses)
        assert same(_read(self.told), _read(run.stdout.strip())), run.stdout + run.stderr


def commands(document: Path) -> list[Command]:
    """Each `$ ` in the document's console blocks."""
    blocks = re.findall(r"```console\n(.*?)\n```", document.read_text(), re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    return [_command(part.splitlines()) for part in parts]


def _command(lines: list[str]) -> Command:
    text = [lines[0], *(line[2:] for line in lines[1:] if line.startswith("> "))]
    return Command("\n".join(text), "\n".join(lines[len(text) :]))


@contextmanager
def documented_servers(bundle: Path, logs: Path) -> Iterator[tuple[Pair, Addresses]]:
    """The README's servers on free ports."""
    files = free_port()
    made = pair(bundle, logs, "squeezenet1_1", FETCH_ALLOWED_HOSTS=f"127.0.0.1:{files}")
    arguments = [sys.executable, "-m", "http.server", str(files), "--bind", "127.0.0.1", "--directory", "docs"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as server:
        try:
            made.start()
            yield (
                made,
                {
                    "127.0.0.1:8080": f"127.0.0.1:{made.transformer.http_port}",
                    "127.0.0.1:8081": made.transformer.grpc,
                    "127.0.0.1:9000": f"127.0.0.1:{made.predictor.http_port}",
                    "127.0.0.1:9001": made.predictor.grpc,
                    "127.0.0.1:8000": f"127.0.0.1:{files}",
                },
            )
        finally:
            made.end()
            server.terminate()


def _read(text: str) -> list[Any]:
    """Line by line, as JSON where it is."""
    return [json.loads(line) if line.startswith(('{"', '[{"')) else line for line in text.splitlines()]


def same(told: Any, given: Any) -> bool:
    """Equal, but for rounding and for what differs from run to run."""
    if isinstance(told, dict) and isinstance(given, dict):
        return told.keys() == given.keys() and all(key in VARYING or same(told[key], given[key]) for key in told)
    if isinstance(told, list) and isinstance(given, list):
        return len(told) == len(given) and all(map(same, told, given))
    if isinstance(told, float):
        return bool(given == pytest.approx(told, abs=1e-4))
    if isinstance(told, str) and isinstance(given, str) and _CLASSIFIED.match(told) and _CLASSIFIED.match(given):
        (value, best), (other, given_best) = told.split(":", 1), given.split(":", 1)
        return best == given_best and same(float(value), float(other))
    return bool(told == given)
