"""A running image as an orchestrator has it: confined, probed over loopback, looked into, stopped."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.e2e.processes import START_SECONDS, free_port
from tests.images.store import Store

CONFINED = (
    "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp:size=64m,mode=1777", "--cap-drop=all",
    "--security-opt=no-new-privileges", "--memory=1g",
)  # fmt: skip
"""What a pod is held to."""

HERE = (
    "--pull=never", "--network=host", "--no-healthcheck", "--log-driver=k8s-file", "--ulimit=nofile=4096:4096",
    "--ulimit=nproc=4096:4096",
)  # fmt: skip
"""What any machine has: loopback, but perhaps no systemd, and no more files and processes than these."""

BOTH = {"HOST": "127.0.0.1", "MODEL_NAME": "photos", "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}


@dataclass(frozen=True)
class Container:
    """Named for its image and its port."""

    store: Store
    image: str
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)

    @property
    def name(self) -> str:
        return f"{self.image}-{self.http_port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def until_ready(self) -> Self:
        self._wait(self._is_ready, "ready")
        return self

    def until_logged(self, text: str) -> Self:
        self._wait(lambda: text in self.log(), text)
        return self

    def log(self) -> str:
        logs = [*self.store.command, "logs", self.name]
        return subprocess.run(logs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def python(self, program: str) -> str:
        """What a program prints that runs beside the server."""
        return self.store.podman("exec", self.name, "python", "-c", program).strip()

    def exit_code_of(self, *command: str, **environment: str) -> int:
        settings = [f"--env={name}={value}" for name, value in environment.items()]
        return subprocess.run([*self.store.command, "exec", *settings, self.name, *command], timeout=30).returncode

    def stop(self, seconds: int) -> int:
        """SIGTERM, SIGKILL after `seconds`; the server's exit code."""
        self.store.podman("stop", f"--time={seconds}", self.name)
        return int(self.store.podman("inspect", "--format={{.State.ExitCode}}", self.name))

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v2/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _has_ended(self) -> bool:
        return self.store.podman("inspect", "--format={{.State.Status}}", self.name).strip() in {"exited", "stopped"}

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            over = time.monotonic() > deadline or self._has_ended()
            assert not over, f"{self.name}: not {what}\n{self.log()}"
            time.sleep(0.1)


def predictor(store: Store, image: str, *options: str) -> AbstractContextManager[Container]:
    """In float32, whose answers are those of any machine."""
    return _running(Container(store, image), {"PRECISION": "float32"}, *options)


def transformer(store: Store, predictor_host: str) -> AbstractContextManager[Container]:
    return _running(Container(store, "transformer"), {"PREDICTOR_HOST": predictor_host})


def mounted(bundle: Path) -> str:
    """An option of a predictor."""
    return f"--volume={bundle}:/mnt/models:ro"


@contextmanager
def _running(container: Container, settings: Mapping[str, str], *options: str) -> Iterator[Container]:
    """Started, but perhaps not ready."""
    ports = {"HTTP_PORT": str(container.http_port), "GRPC_PORT": str(container.grpc_port)}
    environment = [f"--env={name}={value}" for name, value in (BOTH | ports | dict(settings)).items()]
    named = ("--detach", f"--name={container.name}")
    container.store.podman("run", *named, *CONFINED, *HERE, *options, *environment, container.image)
    try:
        yield container
    finally:
        container.store.podman("rm", "--force", "--time=5", container.name)


def printed(store: Store, image: str, program: str) -> str:
    """What a program in Python prints that runs in an image instead of the server."""
    return store.podman("run", "--rm", *CONFINED, *HERE, "--entrypoint=python", image, "-c", program).strip()
