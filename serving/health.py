"""gRPC's own health service, as Kubernetes' grpc probes and other clients ask it: can this server answer?

Specification: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from oip.grpc import SERVICE
from serving.dataplane import DataPlane

_WATCH_SECONDS = 0.5


class Health(HealthServicer):
    """SERVING while the server is loaded, warm and not draining; knows the server ("") and the inference service."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def Check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:  # noqa: N802  # gRPC's name
        """The state now; NOT_FOUND for another service."""
        if request.service not in {"", SERVICE}:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"service: expected {SERVICE}, got another")
        return HealthCheckResponse(status=self._status())

    async def Watch(  # noqa: N802  # gRPC's name
        self, request: HealthCheckRequest, context: Any
    ) -> AsyncIterator[HealthCheckResponse]:
        """The state now and at each change; ends when the server drains, so that no watcher holds up its stop."""
        if request.service not in {"", SERVICE}:
            yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
            return
        told = None
        while not (self._plane.draining and told == HealthCheckResponse.NOT_SERVING):
            if (status := self._status()) != told:
                told = status
                yield HealthCheckResponse(status=status)
            await asyncio.sleep(_WATCH_SECONDS)

    def _status(self) -> Any:
        return HealthCheckResponse.SERVING if self._plane.ready_to_serve else HealthCheckResponse.NOT_SERVING
