"""What an overlay of `manifests/` renders to: `kubectl kustomize`, in the order in which a cluster needs it."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml

from scripts.deployment.exchange import Document
from scripts.errors import RunError

KUBECTL = (1, 21)
"""The first whose kustomize knows components."""

RENDER_SECONDS = 60

CLUSTER_WIDE = frozenset({"Namespace", "ClusterServingRuntime", "ClusterRole", "ClusterRoleBinding"})
"""Kinds that stand in no namespace."""

FIRST = ("Namespace", "ServiceAccount", "ClusterServingRuntime", "ServingRuntime")
LAST = ("InferenceService", "InferenceGraph")
"""What others refer to goes before them, and what refers to others after."""


@dataclass(frozen=True)
class Overlay:
    """`documents` in the order of applying, each with its namespace; `namespace` is that of the services."""

    directory: Path
    documents: tuple[Document, ...]
    namespace: str

    @classmethod
    def render(cls, directory: Path, namespace: str, *, chosen: bool = False) -> Self:
        """Raises RunError when kubectl cannot, or when a `chosen` namespace is not the overlay's own."""
        documents = sorted(_rendered(directory), key=_place)
        own = _namespace_of_services(documents)
        if chosen and own not in (None, namespace):
            raise RunError(f"namespace: expected {own}, which {directory} names, got {namespace}")
        settled = own or namespace
        return cls(directory, tuple(_placed(document, settled) for document in documents), settled)

    def of_kind(self, kind: str) -> list[Document]:
        """The documents of a kind."""
        return [document for document in self.documents if document["kind"] == kind]


def _place(document: Document) -> int:
    kind = document["kind"]
    if kind in FIRST:
        return FIRST.index(kind)
    return len(FIRST) + (1 + LAST.index(kind) if kind in LAST else 0)


def _namespace_of_services(documents: list[Document]) -> str | None:
    named = (document["metadata"].get("namespace") for document in documents if document["kind"] == "InferenceService")
    return next(named, None)


def _placed(document: Document, namespace: str) -> Document:
    if document["kind"] in CLUSTER_WIDE:
        return document
    return document | {"metadata": {"namespace": namespace} | document["metadata"]}


def _rendered(directory: Path) -> list[Document]:
    if not (directory / "kustomization.yaml").is_file():
        raise RunError(f"overlay: expected a directory with kustomization.yaml, got {directory}")
    done = _kubectl("kustomize", str(directory))
    if done.returncode != 0:
        raise RunError(_why_not(directory, done.stderr))
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def _why_not(directory: Path, errors: str) -> str:
    version = _kubectl_version()
    if version is not None and version < KUBECTL:
        return f"kubectl: expected {_text(KUBECTL)} or newer, found {_text(version)}"
    said = errors.strip().splitlines() or ["nothing"]
    return f"overlay: expected kubectl to render {directory}, it said: {said[-1]}"


def _kubectl_version() -> tuple[int, int] | None:
    try:
        told = json.loads(_kubectl("version", "--client", "--output=json").stdout)
        matched = re.match(r"v(\d+)\.(\d+)", told["clientVersion"]["gitVersion"])
    except (KeyError, ValueError):
        return None
    return (int(matched[1]), int(matched[2])) if matched else None


def _kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("kubectl") is None:
        raise RunError(f"kubectl: expected {_text(KUBECTL)} or newer on the PATH, found none")
    try:
        return subprocess.run(
            ["kubectl", *arguments], capture_output=True, text=True, check=False, timeout=RENDER_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(f"kubectl: expected an answer within {RENDER_SECONDS} s, got none") from error


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
