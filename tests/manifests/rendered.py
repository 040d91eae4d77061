"""The manifests as a cluster would get them: `kubectl kustomize` of every overlay."""

import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.assets import PROJECT

MANIFESTS = PROJECT / "manifests"
OVERLAYS = sorted(path.name for path in (MANIFESTS / "overlays").iterdir())
COMPONENTS = sorted(path.name for path in (MANIFESTS / "components").iterdir())

Document = dict[str, Any]


def overlay(name: str) -> list[Document]:
    """Its documents, one's own to change."""
    return deepcopy(_rendered(MANIFESTS / "overlays" / name))


def cluster_runtimes() -> list[Document]:
    return deepcopy(_rendered(MANIFESTS / "cluster-runtimes"))


def next_runtimes() -> list[Document]:
    return deepcopy(_rendered(MANIFESTS / "next-runtimes"))


def built(directory: Path) -> list[Document]:
    """What `kubectl kustomize` makes of a directory; fails the test when it makes nothing of it."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(kind: str, documents: list[Document]) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def containers(value: Any) -> Iterator[Document]:
    """Every container anywhere in a document, KServe's `model` included, which is one, too."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if key in ("containers", "initContainers") and isinstance(inside, list):
                yield from inside
            elif key == "model":
                yield inside
            else:
                yield from containers(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from containers(inside)


@cache
def _rendered(directory: Path) -> list[Document]:
    return built(directory)
