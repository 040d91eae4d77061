"""Our servers as a user has them: processes of their own, on free ports, with their log in a file."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

START_SECONDS = 60
STOP_SECONDS = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """`python -m predictor` or `python -m transformer`, startable again on the same ports."""

    module: str
    settings: Mapping[str, str]
    log: Path
    command: Sequence[str] = (sys.executable, "-m")
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    popen: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def pid(self) -> int:
        assert self.popen is not None
        return self.popen.pid

    def start(self) -> Self:
        ports = {"HOST": "127.0.0.1", "HTTP_PORT": str(self.http_port), "GRPC_PORT": str(self.grpc_port)}
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [*self.command, self.module], env={**os.environ, **ports, **self.settings}, stderr=log, stdout=log
            )
        return self

    def until(self, path: str = "/v2/health/ready", status: int = 200) -> Self:
        """Wait for an answer; fails with the log when the process has ended or time is over."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.popen is not None
            assert self.popen.poll() is None, self.log.read_text()
            try:
                if httpx.get(self.url + path, timeout=5).status_code == status:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{self.module}: no {status} from {path}\n{self.log.read_text()}")

    def signal(self, sig: signal.Signals = signal.SIGTERM) -> None:
        os.kill(self.pid, sig)

    def wait(self) -> int:
        """The exit code."""
        assert self.popen is not None
        return self.popen.wait(STOP_SECONDS)

    def stop(self) -> int:
        self.signal()
        return self.wait()

    def kill(self) -> None:
        """As the kernel does when memory is short: no goodbye."""
        self.signal(signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        """Whatever state it is in; asked politely first, so that it can write down what was covered."""
        if self.popen is None or self.popen.poll() is not None:
            return
        self.signal()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@dataclass
class Pair:
    """A predictor, the transformer in front of it, and the model's name on both."""

    predictor: Process
    transformer: Process
    model: str

    def start(self) -> Self:
        self.predictor.start()
        self.transformer.start()
        self.predictor.until()
        self.transformer.until()
        return self

    def end(self) -> None:
        self.transformer.end()
        self.predictor.end()


def pair(bundle: Path, logs: Path, model: str = "photos", **settings: str) -> Pair:
    """Not started yet; `settings` go to both. In float32, whose answers are those of any machine."""
    logs.mkdir(parents=True, exist_ok=True)
    both = {"MODEL_NAME": model, "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "PRECISION": "float32"} | settings
    predictor = Process("predictor", both | {"MODEL_DIR": str(bundle)}, logs / "predictor.log")
    transformer = Process("transformer", both | {"PREDICTOR_HOST": predictor.grpc}, logs / "transformer.log")
    return Pair(predictor, transformer, model)


@contextmanager
def running(started: Pair) -> Iterator[Pair]:
    try:
        yield started.start()
    finally:
        started.end()
