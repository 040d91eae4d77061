"""The gRPC port: the Open Inference Protocol's service, under the name that KServe and Triton share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection, reflection_pb2

from oip import inference_pb2 as pb
from oip.grpc import SERVICE, RequestMessage, parse_request, request_from_message, response_to_wire
from oip.metadata import config_to_message, index_to_message, metadata_to_message
from oip.statistics import statistics_to_message
from serving import call
from serving.body import answer_apart, apart
from serving.dataplane import DataPlane
from serving.errors import NotOffered
from serving.health import Health
from serving.interceptor import CallInterceptor, Context
from serving.process import StartError
from serving.recorder import Recorder
from serving.settings import MIB, ServerSettings
from serving.version import EXTENSIONS, NAME, NOT_OFFERED_TEXT, VERSION

if TYPE_CHECKING:
    from serving.tracing import Tracer

CALLS_BESIDE_INFERENCE = 16
"""Room for probes and metadata when every place is taken; gRPC reads no message of a call over that."""

INFER_METHOD = "ModelInfer"

_SERVICES = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)

Method = Callable[[Any], Awaitable[Message | bytes]]

Parse = Callable[[bytes], Any]
"""From the bytes of a request to what its method takes."""

_COMPRESSION_LEVEL = 1
"""gRPC's GRPC_COMPRESS_LEVEL_LOW: gzip, or deflate, or nothing, whichever the client says that it accepts.

A server's `compression` would not look at that, and a context's is not sent.
"""

NOT_OFFERED = (
    "CudaSharedMemoryRegister",
    "CudaSharedMemoryStatus",
    "CudaSharedMemoryUnregister",
    "LogSettings",
    "RepositoryModelLoad",
    "RepositoryModelUnload",
    "SystemSharedMemoryRegister",
    "SystemSharedMemoryStatus",
    "SystemSharedMemoryUnregister",
    "TraceSetting",
)
"""What Triton's clients can call besides; and they can stream."""


class InferenceService:
    """The protocol's calls; each takes the request message and returns the response message, or its bytes."""

    def __init__(self, plane: DataPlane) -> None:
        self.plane = plane

    async def server_live(self, _: pb.ServerLiveRequest) -> pb.ServerLiveResponse:
        self.plane.check_alive()
        return pb.ServerLiveResponse(live=True)

    async def server_ready(self, _: pb.ServerReadyRequest) -> pb.ServerReadyResponse:
        return pb.ServerReadyResponse(ready=self.plane.ready_to_serve)

    async def model_ready(self, message: pb.ModelReadyRequest) -> pb.ModelReadyResponse:
        model = self.plane.model(message.name, message.version)
        return pb.ModelReadyResponse(ready=self.plane.is_ready(model))

    async def server_metadata(self, _: pb.ServerMetadataRequest) -> pb.ServerMetadataResponse:
        return pb.ServerMetadataResponse(name=NAME, version=VERSION, extensions=EXTENSIONS)

    async def model_metadata(self, message: pb.ModelMetadataRequest) -> pb.ModelMetadataResponse:
        return metadata_to_message(self.plane.model(message.name, message.version).metadata())

    async def model_config(self, message: pb.ModelConfigRequest) -> pb.ModelConfigResponse:
        return config_to_message(*self.plane.config(message.name, message.version))

    async def model_statistics(self, message: pb.ModelStatisticsRequest) -> pb.ModelStatisticsResponse:
        return statistics_to_message(self.plane.statistics(message.name, message.version))

    async def repository_index(self, message: pb.RepositoryIndexRequest) -> pb.RepositoryIndexResponse:
        return index_to_message(self.plane.index(ready_only=message.ready))

    async def model_infer(self, received: RequestMessage) -> bytes:
        message, raws = received
        async with self.plane.admitted(message.model_name, message.model_version) as model:
            with call.current().stage("read"):
                size = message.ByteSize() + sum(map(len, raws))
                request = await apart(size, request_from_message, message, raws)
                asked = model.request_from_v2(request)
            answer = await self.plane.answer(model, asked)
            with call.current().stage("postprocess"):
                return await answer_apart(lambda: response_to_wire(model.response_to_v2(answer, request)))


def _connection_age(settings: ServerSettings) -> list[tuple[str, int]]:
    """Calls on a connection that is given up keep the time that they were promised."""
    if not settings.grpc_max_connection_age_seconds:
        return []
    return [
        ("grpc.max_connection_age_ms", settings.grpc_max_connection_age_seconds * 1000),
        ("grpc.max_connection_age_grace_ms", int(settings.request_timeout_seconds * 1000)),
    ]


class RpcServer:
    """Serves the data plane over gRPC; raises StartError when the port is taken."""

    def __init__(
        self, plane: DataPlane, settings: ServerSettings, recorder: Recorder, tracer: "Tracer | None" = None
    ) -> None:
        self._settings = settings
        self._server = grpc.aio.server(
            interceptors=[CallInterceptor(settings.request_timeout_seconds, recorder, tracer)],
            maximum_concurrent_rpcs=settings.max_in_flight + CALLS_BESIDE_INFERENCE,
            options=[
                ("grpc.so_reuseport", 0),  # else a second server on the same port would silently share it
                ("grpc.max_receive_message_length", settings.max_request_size),
                ("grpc.http2.lookahead_bytes", MIB),  # else the tensors of one image wait twice for more room,
                ("grpc.http2.max_frame_size", MIB),  # and come in ten pieces
                ("grpc.default_compression_level", _COMPRESSION_LEVEL if settings.grpc_compression else 0),
                *_connection_age(settings),
            ],
        )
        self._server.add_generic_rpc_handlers((_handler(InferenceService(plane)),))
        add_HealthServicer_to_server(Health(plane), self._server)
        reflection.enable_server_reflection(_SERVICES, self._server, _described())
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        except RuntimeError as error:
            raise StartError(f"grpc_port: cannot listen on {host}:{settings.grpc_port} (is it in use?)") from error

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        """Refuse new calls, answer those that have begun, within the grace period."""
        await self._server.stop(self._settings.grace_period_seconds)


def _handler(service: InferenceService) -> grpc.GenericRpcHandler:
    methods: dict[str, tuple[Method, Parse]] = {
        "ServerLive": (service.server_live, pb.ServerLiveRequest.FromString),
        "ServerReady": (service.server_ready, pb.ServerReadyRequest.FromString),
        "ModelReady": (service.model_ready, pb.ModelReadyRequest.FromString),
        "ServerMetadata": (service.server_metadata, pb.ServerMetadataRequest.FromString),
        "ModelMetadata": (service.model_metadata, pb.ModelMetadataRequest.FromString),
        "ModelConfig": (service.model_config, pb.ModelConfigRequest.FromString),
        "ModelStatistics": (service.model_statistics, pb.ModelStatisticsRequest.FromString),
        "RepositoryIndex": (service.repository_index, pb.RepositoryIndexRequest.FromString),
        INFER_METHOD: (service.model_infer, parse_request),
    }
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {name: _method_handler(method, parse) for name, (method, parse) in methods.items()}
        | {name: _method_handler(_not_offered) for name in NOT_OFFERED}
        | {"ModelStreamInfer": grpc.stream_stream_rpc_method_handler(_no_stream)},
    )


def _method_handler(method: Method, parse: Parse | None = None) -> Any:
    async def behaviour(message: Any, _: Context) -> Message | bytes:
        return await method(message)

    return grpc.unary_unary_rpc_method_handler(behaviour, parse and _reading(parse), _serialize)


def _reading(parse: Parse) -> Parse:
    def read(content: bytes) -> Any:
        with call.current().stage("read"):
            return parse(content)

    return read


async def _not_offered(_: Any) -> Message:
    raise NotOffered(NOT_OFFERED_TEXT)


async def _no_stream(messages: Any, _: Context) -> AsyncIterator[Message]:
    yield await _not_offered(messages)


def _described() -> DescriptorPool:
    """A pool that describes every service of this port: our messages live outside of the default one."""
    pool = DescriptorPool()
    for file in (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        pool.AddSerializedFile(file.serialized_pb)
    return pool


def _serialize(answer: Message | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
