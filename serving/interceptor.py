"""The edge of the gRPC port: every call gets an id, a deadline, one line in the log, and its errors in one form."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from oip.errors import InvalidRequest, mismatch
from serving import access, call
from serving.body import apart
from serving.compression import WORTHWHILE_BYTES
from serving.errors import ERROR_CODE, UNEXPECTED, InternalError, ServiceError
from serving.recorder import Recorder
from serving.responses import report

if TYPE_CHECKING:
    from serving.tracing import Tracer

logger = logging.getLogger(__name__)

_POLLED = frozenset(
    {
        "Check",
        "ModelConfig",
        "ModelMetadata",
        "ModelReady",
        "ModelStatistics",
        "RepositoryIndex",
        "ServerLive",
        "ServerMetadata",
        "ServerReady",
        "ServerReflectionInfo",
        "Watch",
    }
)
"""Calls that probes and scrapers repeat: logged at DEBUG."""

Handler = Any
"""grpc.RpcMethodHandler, whose behaviours are typed for servers that wait."""

Context = grpc.aio.ServicerContext[Any, Any]


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Around every method of every service; what gRPC itself refuses, an unknown method among it, does not come here.

    The id is in the trailing metadata of every answer. Single requests are parsed and answers serialised inside, for
    gRPC would meet a malformed one with a text of its own.
    """

    def __init__(self, request_timeout_seconds: float, recorder: Recorder, tracer: "Tracer | None" = None) -> None:
        self.request_timeout_seconds = request_timeout_seconds
        self.recorder = recorder
        self.tracer = tracer

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method.removeprefix("/")
        if handler.request_streaming:
            streaming = self._streaming(method, handler, handler.stream_stream)
            return grpc.stream_stream_rpc_method_handler(streaming, handler.request_deserializer)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._streaming(method, handler, handler.unary_stream))
        return grpc.unary_unary_rpc_method_handler(self._unary(method, handler))

    def _unary(self, method: str, handler: Handler) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def unary(content: bytes, context: Context) -> bytes:
            async with self._call(method, context):
                request = await apart(len(content), _parsed, handler, content)
                answer = await handler.unary_unary(request, context)
                return _serialised(handler, answer, context)

        return unary

    def _streaming(
        self, method: str, handler: Handler, behaviour: Any
    ) -> Callable[[Any, Context], AsyncIterator[bytes]]:
        async def streaming(asked: Any, context: Context) -> AsyncIterator[bytes]:
            async with self._call(method, context):
                request = asked if handler.request_streaming else _parsed(handler, asked)
                async for answer in behaviour(request, context):
                    yield _serialised(handler, answer, context)

        return streaming

    @asynccontextmanager
    async def _call(self, method: str, context: Context) -> AsyncIterator[None]:
        share = self.tracer.share if self.tracer else None
        current = call.begin(_metadata(context), self._timeout_seconds(context), share)
        logger.debug("accepted %s", current.id, extra={"request_id": current.id})
        context.set_trailing_metadata(((call.REQUEST_ID, current.id),))
        code = grpc.StatusCode.UNKNOWN  # as gRPC answers a fault that nobody expected
        try:
            current.check_deadline()
            yield
            code = grpc.StatusCode.OK
        except (ServiceError, InvalidRequest, *UNEXPECTED) as error:
            leaf = report(error)
            code = leaf.grpc_code
            await context.abort(code, leaf.message, self._trailing(current))
        except (asyncio.CancelledError, GeneratorExit):
            code, current.error_code = grpc.StatusCode.CANCELLED, call.CLIENT_GONE
            raise
        finally:
            if code is grpc.StatusCode.UNKNOWN:
                current.error_code = InternalError.code
            route = method.rpartition("/")[2]
            self.recorder.count(current, "grpc", route)
            access.write(current, "grpc", route, code.name, polled=route in _POLLED)
            if self.tracer:
                self.tracer.record_rpc(current, method, code.name, polled=route in _POLLED)

    def _trailing(self, current: call.Call) -> tuple[tuple[str, str], ...]:
        """What a refusal says besides: which error it is, and of which model and revision."""
        return (
            (ERROR_CODE, current.error_code),
            (call.REQUEST_ID, current.id),
            (call.MODEL_VERSION, current.model_version),
            (call.REVISION, self.recorder.revision),
        )

    def _timeout_seconds(self, context: Context) -> float:
        """The client's deadline, where it set one below ours."""
        remaining: float | None = context.time_remaining()
        return self.request_timeout_seconds if remaining is None else min(self.request_timeout_seconds, remaining)


def _parsed(handler: Handler, content: bytes) -> Any:
    if handler.request_deserializer is None:
        return content
    try:
        return handler.request_deserializer(content)
    except DecodeError as error:
        raise mismatch("message", "one of the protocol's", f"{len(content)} other bytes") from error


def _serialised(handler: Handler, answer: Any, context: Context) -> bytes:
    content: bytes = handler.response_serializer(answer)
    if len(content) < WORTHWHILE_BYTES:
        context.disable_next_message_compression()
    return content


def _metadata(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
