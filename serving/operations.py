"""The plain doors that both servers have: for people, load balancers and Prometheus."""

from fastapi import APIRouter, Response
from kserve.protocol.rest.server import metrics_handler

from serving import openapi_operations
from serving.dataplane import DataPlane
from serving.errors import NotReady
from serving.responses import json_response


def operations_router(plane: DataPlane, model_name: str) -> APIRouter:
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

    router.add_api_route("/metrics", metrics_handler, **openapi_operations.METRICS)
    return router
