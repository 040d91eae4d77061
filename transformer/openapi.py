"""What `/openapi.json` says of the plain doors; their bodies are read by hand, so they are described by hand."""

from typing import Any

_PREDICTION = {
    "type": "object",
    "required": ["class_id", "label", "confidence"],
    "properties": {
        "class_id": {"type": "integer", "example": 258},
        "label": {"type": "string", "example": "Samoyed"},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1, "example": 0.8932},
    },
}
_ANSWER = {
    "type": "object",
    "properties": {
        "predictions": {"type": "array", "items": _PREDICTION, "description": "best first"},
        "inference_time_ms": {"type": "number"},
        "preprocessing_time_ms": {"type": "number"},
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_ERROR = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {"error": {"type": "string"}, "code": {"type": "string", "example": "bad_input"}},
}
_TOP_K = {"type": "integer", "minimum": 1, "description": "classes in the answer, at most all of the model's"}
_PHOTO = {"type": "string", "format": "binary"}

_REASONS = {
    "400": "bad input: the field, what was expected, what was given",
    "413": "the photo has too many bytes",
    "415": "not an image that is read here",
    "422": "an image over a limit, or a URL that gave none",
    "502": "the predictor answered nonsense",
    "503": "full, stopping, or no predictor; see Retry-After",
    "504": "over the deadline",
}


def _content(schema: dict[str, Any], *kinds: str) -> dict[str, Any]:
    return {kind: {"schema": schema} for kind in kinds or ("application/json",)}


_RESPONSES = {"200": {"description": "the best classes", "content": _content(_ANSWER)}} | {
    status: {"description": reason, "content": _content(_ERROR)} for status, reason in _REASONS.items()
}

_FORM = {"type": "object", "required": ["file"], "properties": {"file": _PHOTO, "top_k": _TOP_K}}
_LINK = {
    "type": "object",
    "required": ["url"],
    "properties": {"url": {"type": "string", "format": "uri"}, "top_k": _TOP_K},
}

PREDICT: dict[str, Any] = {
    "summary": "Classify an uploaded photo",
    "parameters": [{"name": "top_k", "in": "query", "schema": _TOP_K}],
    "requestBody": {
        "required": True,
        "content": _content(_FORM, "multipart/form-data") | _content(_PHOTO, "image/jpeg", "image/png", "image/webp"),
    },
    "responses": _RESPONSES,
}
PREDICT_URL: dict[str, Any] = {
    "summary": "Classify the photo behind a URL",
    "requestBody": {"required": True, "content": _content(_LINK)},
    "responses": _RESPONSES,
}
