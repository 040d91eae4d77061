"""The V1 doors: TensorFlow Serving's REST form, as KServe speaks it."""

from fastapi import APIRouter, Request, Response

from serving import openapi_v1
from serving.body import bounded, unless_gone
from serving.cloud_event import CloudEvent
from serving.dataplane import DataPlane
from serving.errors import NotReady
from serving.responses import json_response


def v1_router(plane: DataPlane, max_json_size: int) -> APIRouter:
    """`/v1/models`, `/v1/models/{name}` and `/v1/models/{name}:predict`."""
    router = APIRouter(prefix="/v1/models", tags=["V1"])

    @router.get("", **openapi_v1.MODELS)
    async def models() -> Response:
        return json_response({"models": list(plane.models)})

    @router.get("/{model_name}", **openapi_v1.MODEL_READY)
    async def model_ready(model_name: str) -> Response:
        if plane.draining or not plane.model(model_name).ready:
            raise NotReady(f"model {model_name} is not ready")
        return json_response({"name": model_name, "ready": True})

    @router.post("/{model_name}:predict", **openapi_v1.PREDICT)
    async def predict(model_name: str, request: Request) -> Response:
        async with plane.admitted(model_name) as model:
            event = CloudEvent(request.headers)
            data = event.data(await bounded(request, max_json_size).body())
            answer = await unless_gone(request, plane.answer(model, model.request_from_v1(data)))
            return event.answer(model_name, model.response_to_v1(answer))

    return router
