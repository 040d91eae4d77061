"""The plain doors: a photo in, JSON out, for people and programs that speak no inference protocol."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from oip.errors import mismatch
from serving import call
from serving.body import bounded, unless_gone
from serving.dataplane import DataPlane
from serving.errors import UnsupportedMedia
from serving.responses import json_response
from transformer.form import read_form
from transformer.openapi import PREDICT, PREDICT_URL
from transformer.request import TOP_K, ClassifyRequest, Photo, Source, from_link
from transformer.response import ClassifyResponse, to_v1
from transformer.settings import TransformerSettings

FILE = "file"
PREDICT_ROUTES = ("/predict", "/predict/url")
_NUMBER = re.compile(r"-?[0-9]{1,9}")
FORM_OVERHEAD_BYTES = 16 * 1024
"""Room for a form's boundaries, part headers and small fields around the photo."""


def plain_router(plane: DataPlane, settings: TransformerSettings) -> APIRouter:
    """`POST /predict` and `POST /predict/url`."""
    router = APIRouter(tags=["plain"])

    @router.post("/predict", **PREDICT)
    async def predict(request: Request) -> Response:
        async with plane.admitted(settings.model_name) as model:
            with call.current().stage("read"):
                asked = await _uploaded(request, settings.max_upload_size)
            return _document(await unless_gone(request, plane.answer(model, asked)))

    @router.post("/predict/url", **PREDICT_URL)
    async def predict_url(request: Request) -> Response:
        async with plane.admitted(settings.model_name) as model:
            with call.current().stage("read"):
                asked = from_link(await bounded(request, FORM_OVERHEAD_BYTES).body())
            return _document(await unless_gone(request, plane.answer(model, asked)))

    return router


async def _uploaded(request: Request, max_upload_size: int) -> ClassifyRequest:
    """A multipart form with the photo as `file`, or the photo itself as the body."""
    kind = request.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_form(
            bounded(request, max_upload_size + FORM_OVERHEAD_BYTES), request.query_params.get(TOP_K)
        )
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise UnsupportedMedia(f"content-type: expected multipart/form-data or image/*, got {kind[:60]!r}")
    photo = Photo(await bounded(request, max_upload_size).body(), "body")
    return _asked(photo, request.query_params.get(TOP_K))


async def _from_form(request: Request, top_k: str | None) -> ClassifyRequest:
    form = await read_form(request, FORM_OVERHEAD_BYTES)
    try:
        upload = form.get(FILE)
        if not isinstance(upload, UploadFile):
            raise mismatch(FILE, "a photo as a form's file", "text" if upload else "nothing")
        asked = form.get(TOP_K, top_k)
        return _asked(Photo(await upload.read(), FILE), asked if isinstance(asked, str) else None)
    finally:
        await form.close()


def _asked(source: Source, top_k: str | None) -> ClassifyRequest:
    """Forms and queries hold text: a number in it is a number, anything else is left for the check to name."""
    is_number = top_k is not None and _NUMBER.fullmatch(top_k)
    return ClassifyRequest((source,), int(top_k) if is_number and top_k else top_k)


def _document(response: ClassifyResponse) -> Response:
    current = call.current()
    (predictions,) = to_v1(response)["predictions"]
    document: dict[str, Any] = {
        "predictions": predictions,
        "inference_time_ms": round(current.stages["predictor_rpc"], 2),
        "preprocessing_time_ms": round(current.stages["decode"] + current.stages["preprocess"], 2),
        "model_name": response.model_name,
        "model_version": response.model_version,
        "request_id": current.id,
    }
    return json_response(document)
