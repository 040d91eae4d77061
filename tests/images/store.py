"""buildah and podman on a storage of their own: what they make goes with it, and no other image is touched."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = ("buildah", "mmdebstrap", "podman", "runc")
BASE = "docker.io/library/python:3.11-slim"

BUSY = "sealing memfd copy: Device or resource busy"
"""What ends a step now and then when the machine has much to do; it knows nothing of the step."""
BUSY_TRIES = 5


@dataclass(frozen=True)
class Store:
    """A directory with images and containers."""

    home: Path

    def build(self, image: str, dockerfile: Path, context: Path, *options: str) -> None:
        """Over a base that is here already; packages come from their registries, or from buildah's cache of them."""
        build = ("build", "--format=docker", "--isolation=chroot", "--layers", "--pull-never")
        command = ("buildah", *self._options, *build, *options, f"--file={dockerfile}", f"--tag={image}", str(context))
        for _ in range(BUSY_TRIES):
            ran = subprocess.run(command, capture_output=True, text=True)
            if BUSY not in ran.stderr:
                break
        _succeeded(ran)

    def podman(self, *arguments: str) -> str:
        """What it printed; fails with all that it said when it did not end with 0."""
        return _run(*self.command, *arguments)

    @property
    def command(self) -> Sequence[str]:
        """podman, for arguments."""
        return ("podman", *self._options, "--cgroup-manager=cgroupfs", "--events-backend=file", "--runtime=runc")

    def config(self, image: str) -> dict[str, Any]:
        """How its containers run, as docker has it."""
        (found,) = json.loads(self.podman("image", "inspect", image))
        config: dict[str, Any] = found["Config"] | {"Healthcheck": found.get("Healthcheck")}
        return config

    def layer_bytes(self, image: str) -> list[int]:
        """Of each layer, unpacked, the newest first."""
        return [layer["size"] for layer in json.loads(self.podman("history", "--format=json", image))]

    def clear(self) -> None:
        """Remove all containers, images and mounts that are here."""
        _run("buildah", *self._options, "rm", "--all")
        self.podman("rm", "--all", "--force", "--time=5")
        self.podman("rmi", "--all", "--force")
        subprocess.run(["umount", self._root / "overlay"], capture_output=True)

    @property
    def _root(self) -> Path:
        return self.home / "storage"

    @property
    def _options(self) -> Sequence[str]:
        return (f"--root={self._root}", f"--runroot={self.home / 'run'}")


def _run(*command: str) -> str:
    return _succeeded(subprocess.run(command, capture_output=True, text=True))


def _succeeded(ran: "subprocess.CompletedProcess[str]") -> str:
    assert ran.returncode == 0, f"{' '.join(ran.args)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout
