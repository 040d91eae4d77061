"""gRPC's own health service, as Kubernetes' grpc probes and other clients ask it: can this server answer?

Specification: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from oip.excerpt import excerpt
from oip.grpc import SERVICE
from serving.dataplane import DataPlane
from serving.errors import NotFound

_SERVICES = ("", SERVICE)
_WATCH_SECONDS = 0.5


class Health(HealthServicer):
    """SERVING while the server is loaded, warm and not draining; knows the server ("") and the inference service."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def Check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:  # noqa: N802  # gRPC's name
        """The state now; NOT_FOUND for another service."""
        if request.service not in _SERVICES:
            raise NotFound(f"service: expected {SERVICE}, got {excerpt(request.service)}")
        return HealthCheckResponse(status=self._status())

    async def Watch(  # noqa: N802  # gRPC's name
        self, request: HealthCheckRequest, context: Any
    ) -> AsyncIterator[HealthCheckResponse]:
        """The state now and at each change; ends when the server drains, so that no watcher holds up its stop."""
        told = None
        while True:
            draining = self._plane.draining
            status = self._status() if request.service in _SERVICES else HealthCheckResponse.SERVICE_UNKNOWN
            if status != told:
                told = status
                yield HealthCheckResponse(status=status)
            if draining:
                return
            await asyncio.sleep(_WATCH_SECONDS)

    def _status(self) -> Any:
        return HealthCheckResponse.SERVING if self._plane.ready_to_serve else HealthCheckResponse.NOT_SERVING
