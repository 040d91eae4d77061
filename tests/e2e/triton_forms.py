"""The four forms of Triton's Python client as one: those that wait and those that are awaited are called alike.

Imported here by name, and late: whoever has imported kserve cannot import `tritonclient.grpc`.
"""

import asyncio
import base64
import inspect
import queue
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.e2e.grpc_wire import packed_as, relaying

CLIENTS = ("http", "http.aio", "grpc", "grpc.aio")
"""The modules of tritonclient."""


@dataclass(frozen=True)
class Subject:
    """A server: its model, the photo as the model takes it, in binary and in JSON, and the names of its outputs."""

    model: str
    binary: NDArray[Any]
    text: NDArray[Any]
    datatype: str
    outputs: tuple[str, ...]

    @property
    def numbers(self) -> str:
        """The output that can be classified."""
        return self.outputs[-1]


def subject(model: str, kind: str, file: Path) -> Subject:
    if kind == "predictor":
        pixels = np.load(file)
        return Subject(model, pixels, pixels, "UINT8", ("probabilities",))
    photo = file.read_bytes()
    binary, text = np.array([photo], np.object_), np.array([base64.b64encode(photo)], np.object_)
    return Subject(model, binary, text, "BYTES", ("class_id", "label", "confidence"))


class Client:
    """One of the four clients."""

    def __init__(self, name: str, address: str, subject: Subject, *, verbose: bool = False) -> None:
        self.name = name
        self.address = address
        self.subject = subject
        self.library: Any = import_module(f"tritonclient.{name}")
        self.inner = self.library.InferenceServerClient(address, verbose=verbose)
        self.is_http = name.startswith("http")
        self.is_aio = name.endswith("aio")

    async def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        result = getattr(self.inner, method)(*arguments, **options)
        return await result if inspect.isawaitable(result) else result

    async def document(self, method: str, *arguments: Any) -> Any:
        """An answer as JSON, from gRPC too."""
        return await self.call(method, *arguments, **({} if self.is_http else {"as_json": True}))

    async def infer(self, **options: Any) -> Any:
        asked = {"model_name": self.subject.model, "inputs": [self.image()]} | options
        return await self.call("infer", **asked)

    async def refused(self, method: str, *arguments: Any, **options: Any) -> dict[str, str]:
        """The error with which the server refuses."""
        outcomes: tuple[Any] = await asyncio.gather(self.call(method, *arguments, **options), return_exceptions=True)
        outcome = outcomes[0]
        error = import_module("tritonclient.utils").InferenceServerException
        if not isinstance(outcome, error):
            raise TypeError(f"expected a refusal, got {outcome!r}")
        return {"status": outcome.status(), "message": outcome.message()}

    def image(self, count: int = 1, *, name: str = "image", **options: Any) -> Any:
        """The input, `count` times the photo; `binary_data=False` puts it into the JSON."""
        array = self.subject.binary if options.get("binary_data", True) else self.subject.text
        batch = np.concatenate([array] * count)
        given = self.library.InferInput(name, list(batch.shape), self.subject.datatype)
        given.set_data_from_numpy(batch, **options)
        return given

    def every_output(self, **options: Any) -> list[Any]:
        return [self.library.InferRequestedOutput(name, **options) for name in self.subject.outputs]

    def best(self, result: Any) -> list[list[tuple[int, float]]]:
        """The three best classes of each photo with their probabilities."""
        if "class_id" not in self.subject.outputs:
            probabilities = result.as_numpy("probabilities")
            classes = np.argsort(-probabilities, axis=1)[:, :3]
            return _pairs(classes, np.take_along_axis(probabilities, classes, axis=1))
        return _pairs(result.as_numpy("class_id")[:, :3], result.as_numpy("confidence")[:, :3])

    async def version(self) -> str:
        metadata = await self.document("get_model_metadata", self.subject.model)
        return str(metadata["versions"][0])

    async def close(self) -> None:
        await self.call("close")


def _pairs(classes: NDArray[Any], values: NDArray[Any]) -> list[list[tuple[int, float]]]:
    return [list(zip(*row, strict=True)) for row in zip(classes.tolist(), values.tolist(), strict=True)]


def answer(client: Client, result: Any) -> dict[str, Any]:
    """The response without its tensors' contents."""
    response: dict[str, Any] = result.get_response() if client.is_http else result.get_response(as_json=True)
    return response


def names(client: Client, result: Any) -> list[str]:
    return [output["name"] for output in answer(client, result)["outputs"]]


async def at_once(client: Client, model: str, ids: Sequence[str]) -> list[Any]:
    """The result of each request, or its error, as this client gives them."""
    if client.is_aio:
        waiting = [client.infer(model_name=model, request_id=each) for each in ids]
    elif client.is_http:
        sent = [client.inner.async_infer(model, [client.image()], request_id=each) for each in ids]
        waiting = [_result(each) for each in sent]
    else:
        answers: queue.Queue[Any] = queue.Queue()
        for each in ids:
            client.inner.async_infer(model, [client.image()], partial(_put, answers), request_id=each)
        return [answers.get(timeout=60) for _ in ids]
    return list(await asyncio.gather(*waiting, return_exceptions=True))


async def _result(sent: Any) -> Any:
    return sent.get_result()


def _put(answers: "queue.Queue[Any]", result: Any, error: Any) -> None:
    answers.put(error or result)


async def compressed_both_ways(client: Client, algorithm: str) -> Any:
    """The best classes of a large answer, once its headers, which a verbose client prints, say that it is packed."""
    talkative, printed = Client(client.name, client.address, client.subject, verbose=True), StringIO()
    packed = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
    with redirect_stdout(printed):
        result = await talkative.infer(parameters={"top_k": 500}, **packed)
        await talkative.close()
    request, _, response = printed.getvalue().partition("\n")
    if not _says(request, algorithm) or not _says(response, algorithm):
        raise ValueError(f"expected content-encoding {algorithm} both ways, got {request[:300]} {response[:900]}")
    return client.best(result)


async def compressed_on_the_wire(client: Client, algorithm: str) -> Any:
    """The same of a gRPC client, which prints no headers: eight photos, once what was sent says that it is packed.

    A server packs as it likes best of what a client accepts, gzip.
    """
    with relaying(client.address) as relay:
        through = Client(client.name, relay.address, client.subject)
        asked = {"inputs": [through.image(8)], "parameters": {"top_k": 500}}
        result = await through.infer(compression_algorithm=algorithm, **asked)
        await through.close()
    size = result.get_response().ByteSize()
    packed = packed_as(algorithm) in relay.asked and packed_as("gzip") in relay.answered
    if not packed or len(relay.answered) > size / 2:
        raise ValueError(f"expected {algorithm} and an answer of less than {size / 2} bytes, got {len(relay.answered)}")
    return client.best(result)[:1]


def _says(headers: str, algorithm: str) -> bool:
    return re.search(rf"content-encoding\W+{algorithm}", headers, re.IGNORECASE) is not None
