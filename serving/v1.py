"""The V1 doors: TensorFlow Serving's REST form, as KServe speaks it."""

from fastapi import APIRouter, HTTPException, Request, Response

from serving import call, openapi_v1
from serving.body import answer_apart, apart, bounded, unless_gone
from serving.cloud_event import CloudEvent
from serving.dataplane import DataPlane
from serving.errors import MethodNotAllowed, NotFound, NotOffered, NotReady
from serving.responses import json_response

PREDICT_ROUTE = "/v1/models/{model_name}:predict"

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def v1_router(plane: DataPlane, max_json_size: int) -> APIRouter:
    """`/v1/models`, `/v1/models/{name}` and `/v1/models/{name}:predict`."""
    router = APIRouter(prefix="/v1/models", tags=["V1"])

    @router.get("", **openapi_v1.MODELS)
    async def models() -> Response:
        return json_response({"models": list(plane.models)})

    @router.post("/{model_name}:predict", **openapi_v1.PREDICT)
    async def predict(model_name: str, request: Request) -> Response:
        async with plane.admitted(model_name) as model:
            event = CloudEvent(request.headers)
            with call.current().stage("read"):
                body = await bounded(request, max_json_size).body()
                asked = await apart(len(body), lambda: model.request_from_v1(event.data(body)))
            answer = await unless_gone(request, plane.answer(model, asked))
            with call.current().stage("postprocess"):
                return await answer_apart(lambda: event.answer(model_name, model.response_to_v1(answer)))

    router.add_api_route("/{model_name}:{verb}", refuse, methods=METHODS, include_in_schema=False)

    @router.get("/{model_name}", **openapi_v1.MODEL_READY)
    async def model_ready(model_name: str) -> Response:
        if not plane.is_ready(plane.model(model_name)):
            raise NotReady(f"model {model_name} is not ready")
        return json_response({"name": model_name, "ready": True})

    return router


async def refuse(verb: str, request: Request) -> Response:
    """Any other request with a verb, which the model's own door would take for a part of its name."""
    if verb == "predict":
        raise MethodNotAllowed(f"method: expected POST, got {request.method}", "POST")
    if verb == "explain":
        raise NotOffered(f"{request.url.path[:200]}: explanations are not offered")
    raise HTTPException(NotFound.status)
