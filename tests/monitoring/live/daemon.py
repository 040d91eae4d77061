"""A program of Debian's as a test's own process: on a free port, with its log in a file."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

START_SECONDS = 30
STOP_SECONDS = 20


def found(program: str) -> str:
    """Its path; skips where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def running(command: Sequence[str], ready_url: str, log: Path) -> Iterator[None]:
    """From when it says that it is ready."""
    with log.open("wb") as written:
        popen = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    try:
        until(lambda: _is_ready(popen, ready_url, log), f"{command[0]} ready", START_SECONDS)
        yield
    finally:
        _end(popen)


def until(holds: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait for it, and fail with what did not come to be."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:g} seconds still not: {what}"
        time.sleep(0.1)


def _end(popen: "subprocess.Popen[bytes]") -> None:
    popen.terminate()
    try:
        popen.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


def _is_ready(popen: "subprocess.Popen[bytes]", url: str, log: Path) -> bool:
    assert popen.poll() is None, log.read_text()
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
