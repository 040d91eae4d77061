"""The plain doors in `/openapi.json`."""

from typing import Any

from serving.errors import FetchFailed
from serving.json_schema import BYTES, NUMBER, TEXT, Schema, list_of, object_of, ref, told
from serving.openapi import OF_PREDICTING, content, operation
from serving.openapi_examples import PREDICTIONS, URL

_TOP_K: Schema = {"type": "integer", "minimum": 1, "description": "classes in the answer, at most all of the model's"}
_FORM = object_of({"file": BYTES}, {"top_k": _TOP_K})
_LINK = object_of({"url": {"type": "string", "format": "uri"}}, {"top_k": _TOP_K})

_ANSWER = object_of(
    {
        "predictions": told(list_of(ref("prediction")), "best first"),
        "inference_time_ms": NUMBER,
        "preprocessing_time_ms": NUMBER,
        "model_name": TEXT,
        "model_version": TEXT,
        "request_id": TEXT,
    }
)
_EXAMPLE: dict[str, Any] = {
    "predictions": PREDICTIONS,
    "inference_time_ms": 22.8,
    "preprocessing_time_ms": 1.09,
    "model_name": "squeezenet1_1",
    "model_version": "sha256-40e0d5ad09f6",
    "request_id": "fcc1312a395bd557bee6fdd2969d331e",
}
_ANSWERED = content(_ANSWER, photo=_EXAMPLE)

PREDICT = operation(
    "predict",
    "Classify an uploaded photo",
    _ANSWERED,
    *OF_PREDICTING,
    description="A form with the photo as `file`, or the photo's own bytes; `top_k` stands in the form or the query.",
    parameters=[{"name": "top_k", "in": "query", "schema": _TOP_K}],
    requestBody={
        "required": True,
        "content": content(_FORM, "multipart/form-data") | content(BYTES, "image/*", "application/octet-stream"),
    },
)
PREDICT_URL = operation(
    "predict_url",
    "Classify the photo behind a URL",
    _ANSWERED,
    *OF_PREDICTING,
    FetchFailed,
    requestBody={
        "required": True,
        "content": content(_LINK, photo={"url": URL, "top_k": 2}),
    },
)
