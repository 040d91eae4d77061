"""What each of the two servers takes and gives, so that one table of the protocol's cases speaks to both."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process, free_port, pair

SERVERS = ("predictor", "transformer")

HEADER_LENGTH = "inference-header-content-length"


@dataclass(frozen=True)
class Request:
    """One HTTP request; `{version}` in the path stands for the version that the server states."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Rule(Protocol):
    """What a case of either table has; `only` names a server, `fails` says why a rule is known to be broken."""

    @property
    def rule(self) -> str: ...

    @property
    def only(self) -> str: ...

    @property
    def fails(self) -> str: ...


@dataclass(frozen=True)
class Face:
    """One server's model: its version, one valid input for one image, and its outputs for that.

    `inputs` and `outputs` are as the metadata must state them; `shapes` are the outputs' for one image.
    """

    server: str
    version: str
    datatype: str
    shape: list[int]
    values: list[Any]
    raw: bytes
    contents: Mapping[str, Any]
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    shapes: Mapping[str, list[int]]

    @property
    def output(self) -> str:
        """The name of one output of numbers, the last."""
        name: str = self.outputs[-1]["name"]
        return name

    def tensor(self, **changes: Any) -> dict[str, Any]:
        return {"name": "image", "datatype": self.datatype, "shape": self.shape, "data": self.values} | changes

    def document(self, **members: Any) -> dict[str, Any]:
        return {"inputs": [self.tensor()]} | members

    def binary(self, **members: Any) -> Request:
        """The same request with its tensor behind the JSON."""
        tensor = self.tensor(parameters={"binary_data_size": len(self.raw)})
        del tensor["data"]
        return infer({"inputs": [tensor]} | members, self.raw)


def infer(document: object, binary: bytes | None = None, **headers: str) -> Request:
    """POST of that JSON to `infer`, with the header for binary data when there is any; no Content-Type by itself."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    sizes = {} if binary is None else {HEADER_LENGTH: str(len(text))}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "/v2/models/photos/infer", text + (binary or b""), sizes | named)


def face_of(server: str, version: str) -> Face:
    """The face of the predictor, or of the transformer, with 1000 classes, 224 pixels and 5 answers by default."""
    return predictor(version) if server == "predictor" else transformer(version)


def predictor(version: str) -> Face:
    raw = bytes(range(256)) * (224 * 224 * 3 // 256)
    return Face(
        server="predictor",
        version=version,
        datatype="UINT8",
        shape=[1, 224, 224, 3],
        values=list(raw),
        raw=raw,
        contents={"uint_contents": raw},
        inputs=[{"name": "image", "datatype": "UINT8", "shape": [-1, 224, 224, 3]}],
        outputs=[{"name": "probabilities", "datatype": "FP32", "shape": [-1, 1000]}],
        shapes={"probabilities": [1, 1000]},
    )


def transformer(version: str) -> Face:
    names = {"class_id": "INT64", "label": "BYTES", "confidence": "FP32"}
    return Face(
        server="transformer",
        version=version,
        datatype="BYTES",
        shape=[1],
        values=[photo_b64()],
        raw=len(photo()).to_bytes(4, "little") + photo(),
        contents={"bytes_contents": [photo()]},
        inputs=[{"name": name, "datatype": "BYTES", "shape": [-1]} for name in ("image", "url")],
        outputs=[{"name": name, "datatype": datatype, "shape": [-1, -1]} for name, datatype in names.items()],
        shapes={name: [1, 5] for name in names},
    )


@cache
def photo() -> bytes:
    """A real photo, small, in bytes that are not UTF-8."""
    buffer = BytesIO()
    samples()[0].rgb.resize((256, 256)).save(buffer, "JPEG")
    return buffer.getvalue()


def photo_b64() -> str:
    return base64.b64encode(photo()).decode()


def process(servers: Pair, server: str) -> Process:
    return servers.predictor if server == "predictor" else servers.transformer


def served_version(servers: Pair) -> str:
    """The one version that the predictor states."""
    (version,) = httpx.get(f"{servers.predictor.url}/v2/models/photos").json()["versions"]
    return str(version)


def of_table(cases: Sequence[Rule], servers: Sequence[str] = SERVERS) -> list[Any]:
    """Each server with each of its cases; a rule that it is known to break is expected to fail."""
    return [
        pytest.param(server, case, id=f"{server}: {case.rule}", marks=_expected_to_fail(case))
        for server in servers
        for case in cases
        if case.only in {"", server}
    ]


def _expected_to_fail(case: Rule) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=case.fails, strict=True)] if case.fails else []


@contextmanager
def not_ready(bundle: Path, logs: Path) -> Iterator[Pair]:
    """A predictor that was told to stop and has not closed its ports, a transformer that never met a predictor."""
    servers = pair(bundle, logs, DRAIN_DELAY_SECONDS="60")
    nowhere = {"PREDICTOR_HOST": f"127.0.0.1:{free_port()}"}
    servers.transformer.settings = {**servers.transformer.settings, **nowhere}
    try:
        servers.transformer.start()
        servers.predictor.start().until().signal()
        for each in (servers.predictor, servers.transformer):
            each.until("/v2/health/ready", 503)
        yield servers
    finally:
        for each in (servers.transformer, servers.predictor):
            each.kill()
