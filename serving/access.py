"""The edge of the REST doors: every request gets an id, a deadline and one line in the log; HEAD is answered as GET."""

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import call
from serving.errors import InternalError
from serving.recorder import Recorder

if TYPE_CHECKING:
    from serving.tracing import Tracer

logger = logging.getLogger("access")

_POLLED = ("/health", "/ready", "/metrics", "/v2/health/", "/v1/models/", "/v2/models/")
"""What probes and scrapers repeat, by GET or HEAD: logged at DEBUG."""


class AccessLog:
    """Pure ASGI middleware around the whole application."""

    def __init__(
        self, app: ASGIApp, request_timeout_seconds: float, recorder: Recorder, tracer: "Tracer | None" = None
    ) -> None:
        self.app = app
        self.recorder = recorder
        self.tracer = tracer
        self.request_timeout_seconds = request_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        share = self.tracer.share if self.tracer else None
        current = call.begin(Headers(scope=scope), self.request_timeout_seconds, share)
        logger.debug("accepted %s", current.id, extra={"request_id": current.id})
        inside = as_get(scope)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[call.REQUEST_ID] = current.id
                if current.fingerprint:
                    headers[call.FINGERPRINT] = current.fingerprint
            await send(message)

        try:
            await self.app(inside, receive, send_with_id)
        except asyncio.CancelledError:
            current.error_code = call.CLIENT_GONE
            raise
        finally:
            path = getattr(inside.get("route"), "path", "unknown")
            if not status:
                current.error_code = current.error_code or InternalError.code  # a fault that nobody expected
            polled = inside["method"] == "GET" and path.startswith(_POLLED)
            self.recorder.count(current, scope["method"], path)
            write(current, scope["method"], path, status, polled=polled)
            if self.tracer:
                self.tracer.record_http(current, scope["method"], path, status, polled=polled)


def as_get(scope: Scope) -> Scope:
    """The scope with HEAD as GET (RFC 9110, section 9.3.2); by the original the HTTP server knows to send no body."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def write(current: call.Call, method: str, route: str, status: int | str, *, polled: bool = False) -> None:
    """One line for one request, over REST or gRPC."""
    elapsed_ms = round(current.elapsed_ms, 2)
    logger.log(
        logging.DEBUG if polled else logging.INFO,
        "%s %s %s %.1f ms",
        method,
        route,
        status,
        elapsed_ms,
        extra={
            "request_id": current.id,
            "trace_id": current.traceparent.split("-")[1],
            "method": method,
            "route": route,
            "status": status,
            "code": current.error_code,
            "model": current.model_name,
            "model_version": current.model_version,
            "duration_ms": elapsed_ms,
            "stages_ms": {name: round(ms, 2) for name, ms in dict(current.stages).items()},
        },
    )
