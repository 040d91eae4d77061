"""The plain doors that both servers have: for people, load balancers and Prometheus."""

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from serving import openapi_operations
from serving.compression import deflated
from serving.dataplane import DataPlane
from serving.errors import NotReady
from serving.recorder import Recorder
from serving.responses import json_response


def operations_router(plane: DataPlane, recorder: Recorder, model_name: str) -> APIRouter:
    """`/health` (the process answers), `/ready` (and what it calls can be reached), `/metrics`, `/model/info`."""
    router = APIRouter(tags=["operations"])

    @router.get("/", include_in_schema=False)
    async def alive() -> Response:
        """As kserve's server; its V1 client takes this for the server's liveness."""
        plane.check_alive()
        return json_response({"status": "alive"})

    @router.get("/health", **openapi_operations.HEALTH)
    async def health() -> Response:
        plane.check_alive()
        return json_response({"status": "ok"})

    @router.get("/ready", **openapi_operations.READY)
    async def ready() -> Response:
        if not plane.ready_to_serve:
            raise NotReady("the server is not ready")
        if not await plane.model(model_name).dependencies_ready():
            raise NotReady("the predictor cannot be reached")
        return json_response({"status": "ready"})

    @router.get("/model/info", **openapi_operations.MODEL_INFO)
    async def model_info() -> Response:
        return json_response(plane.model(model_name).info())

    @router.get("/metrics", **openapi_operations.METRICS)
    async def metrics(request: Request) -> Response:
        """In a thread: some thousand series take longer to write than an image to run."""
        recorder.refresh()
        return await asyncio.to_thread(_exposed, request)

    return router


def _exposed(request: Request) -> Response:
    """Every metric, or those of `name[]`, in the form that is accepted: OpenMetrics has the exemplars."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    names = request.query_params.getlist("name[]")
    content, headers = deflated(request, encode(REGISTRY.restricted_registry(names) if names else REGISTRY))
    return Response(content, headers=headers | {"content-type": media_type})
