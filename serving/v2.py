"""The V2 doors: REST of the Open Inference Protocol."""

from typing import Any

from fastapi import APIRouter, Request, Response

from oip.errors import mismatch
from oip.rest import HEADER_LENGTH, decode_request, encode_response
from oip.tensor import TensorMetadata
from serving.body import bounded, unless_gone
from serving.dataplane import DataPlane
from serving.errors import NotReady
from serving.model import ServedModel
from serving.responses import json_response
from serving.version import EXTENSIONS, NAME, VERSION


def v2_router(plane: DataPlane, max_request_size: int, max_json_size: int) -> APIRouter:
    """Health, metadata, readiness, config and inference, each with and without a version in the path."""
    router = APIRouter(prefix="/v2", tags=["V2"])

    @router.get("")
    @router.get("/", include_in_schema=False)
    async def server_metadata() -> Response:
        return json_response({"name": NAME, "version": VERSION, "extensions": EXTENSIONS})

    @router.get("/health/live")
    async def live() -> Response:
        return json_response({"live": True})

    @router.get("/health/ready")
    async def ready() -> Response:
        if not plane.ready_to_serve:
            raise NotReady("the server is not ready")
        return json_response({"ready": True})

    @router.get("/models/{model_name}")
    @router.get("/models/{model_name}/versions/{version}")
    async def model_metadata(model_name: str, version: str = "") -> Response:
        return json_response(metadata_document(plane.model(model_name, version)))

    @router.get("/models/{model_name}/ready")
    @router.get("/models/{model_name}/versions/{version}/ready")
    async def model_ready(model_name: str, version: str = "") -> Response:
        if plane.draining or not plane.model(model_name, version).ready:
            raise NotReady(f"model {model_name} is not ready")
        return json_response({"name": model_name, "ready": True})

    @router.post("/models/{model_name}/infer")
    @router.post("/models/{model_name}/versions/{version}/infer")
    async def infer(model_name: str, request: Request, version: str = "") -> Response:
        async with plane.admitted(model_name, version) as model:
            length = header_length(request)
            body = await bounded(request, max_json_size if length is None else max_request_size).body()
            decoded = decode_request(model_name, body, length, version)
            answer = await unless_gone(request, plane.answer(model, model.request_from_v2(decoded)))
            content, json_length = encode_response(model.response_to_v2(answer, decoded), decoded)
        if json_length is None:
            return Response(content, media_type="application/json")
        return Response(content, headers={HEADER_LENGTH: str(json_length)}, media_type="application/octet-stream")

    return router


def header_length(request: Request) -> int | None:
    """Bytes of the JSON part when binary tensors follow it, None when all of the body is JSON."""
    text = request.headers.get(HEADER_LENGTH)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise mismatch(HEADER_LENGTH, "a number of bytes", repr(text[:40]))
    return int(text)


def metadata_document(model: ServedModel) -> dict[str, Any]:
    """The model's metadata as the protocol writes it."""
    metadata = model.metadata()
    return {
        "name": metadata.name,
        "versions": list(metadata.versions),
        "platform": metadata.platform,
        "inputs": [_tensor_document(tensor) for tensor in metadata.inputs],
        "outputs": [_tensor_document(tensor) for tensor in metadata.outputs],
    }


def _tensor_document(tensor: TensorMetadata) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
