"""The gRPC port on its own, in the test's process, before a model that says as much as the request wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
from kserve.model_repository import ModelRepository
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from oip.tensor import InferRequest, InferResponse, Tensor
from serving.dataplane import DataPlane
from serving.recorder import Recorder
from serving.rpc import RpcServer
from tests.e2e.processes import free_port
from tests.serving.sleeper import Sleeper, SleeperSettings

SERVICE = "inference.GRPCInferenceService"
NAME = "talker"


class Talker(Sleeper):
    """A Sleeper whose answer has `words` words; `asked` is set by its first request."""

    def __init__(self, settings: SleeperSettings) -> None:
        super().__init__(settings)
        self.asked = asyncio.Event()

    def request_from_v2(self, request: InferRequest) -> Any:
        self.asked.set()
        return super().request_from_v2(request)

    def response_to_v2(self, response: float, request: InferRequest) -> InferResponse:
        text = words(int(request.parameters.get("words", 0)))
        return InferResponse(self.name, (Tensor("text", "UINT8", np.frombuffer(text, np.uint8)),), id=request.id)


class Talking:
    """The port, its data plane and its model."""

    def __init__(self, settings: SleeperSettings) -> None:
        self.model = Talker(settings)
        repository = ModelRepository()
        repository.update(self.model)
        self.plane = DataPlane(repository, settings.max_in_flight)
        self.address = f"127.0.0.1:{settings.grpc_port}"
        self.port = RpcServer(self.plane, settings, Recorder(self.plane, settings.revision))


@asynccontextmanager
async def talking(**settings: Any) -> AsyncIterator[Talking]:
    """Ready, until the end of the block."""
    served = Talking(SleeperSettings(model_name=NAME, host="127.0.0.1", grpc_port=free_port(), **settings))
    await served.model.open()
    await served.port.start()
    yield served
    served.plane.draining = True
    await served.port.stop()


def words(count: int) -> bytes:
    return b"".join(b"word %d, " % number for number in range(count))


def wanting(count: int = 0, *, size: int = 1, **parameters: str) -> bytes:
    """A request of `size` bytes for that many words."""
    tensor = pb.ModelInferRequest.InferInputTensor(name="seconds", datatype="UINT8", shape=[size])
    request = pb.ModelInferRequest(model_name=NAME, inputs=[tensor], raw_input_contents=[bytes(size)])
    request.parameters["words"].int64_param = count
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    return request.SerializeToString()  # type: ignore[no-any-return]  # kserve's messages have no types


def text_of(answer: bytes) -> bytes:
    (text,) = pb.ModelInferResponse.FromString(answer).raw_output_contents
    return bytes(text)


def channel(address: str, accepted: int | None = None) -> Any:
    """Of bytes; `accepted` is a bitset of encodings: 1 identity, 2 deflate, 4 gzip."""
    options = [] if accepted is None else [("grpc.compression_enabled_algorithms_bitset", accepted)]
    return grpc.aio.insecure_channel(address, options=[*options, ("grpc.max_receive_message_length", -1)])
