"""What `/openapi.json` says: our operations, what each takes, and only answers that it gives.

Bodies are read by hand, so they are described by hand: as data, which never reads a request nor writes an answer.
Specification: https://spec.openapis.org/oas/v3.1.0
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from serving import errors
from serving.errors import ServiceError
from serving.json_schema import COUNT, TEXT, Schema, object_of, ref, told

Operation = dict[str, Any]
"""What FastAPI's `add_api_route` takes besides path, door and methods."""

Content = dict[str, Any]
"""By media type: a schema, and examples by name."""

ERROR = object_of(
    {
        "error": told(TEXT, "for people: the field, what was expected, what was given"),
        "code": told(TEXT, "for programs: stable"),
    }
) | {"examples": [{"error": "top_k: expected an integer from 1 to 1000, got 0", "code": "bad_input"}]}

REASONS: Mapping[type[ServiceError], str] = {
    errors.BadInput: "malformed, or a field is out of its limits",
    errors.ModelNotFound: "no such model, or not in that version",
    errors.TooLarge: "more bytes than are read, in the request or behind its URL",
    errors.UnsupportedMedia: "not a picture of a format that is read; another content type or encoding",
    errors.Refused: "a picture over a limit: pixels, frames, shape",
    errors.FetchFailed: "no photo came from the URL",
    errors.InternalError: "a fault of the server; its log has the rest under the request's id",
    errors.NotOffered: "a part of the protocol that is not offered here",
    errors.BadPrediction: "the predictor answered something that is no prediction",
    errors.Overloaded: "every place is taken",
    errors.NotReady: "loading, or stopping",
    errors.PredictorUnavailable: "the transformer cannot reach its predictor",
    errors.ContractMismatch: "transformer and predictor disagree on the preprocessing",
    errors.DeadlineExceeded: "the request's time was over before its answer was there",
}
"""When an operation gives an error, in the words of docs/api.md."""

OF_A_BODY = (errors.BadInput, errors.TooLarge, errors.UnsupportedMedia)
OF_PREDICTING = (
    *OF_A_BODY,
    errors.Refused,
    errors.InternalError,
    errors.BadPrediction,
    errors.Overloaded,
    errors.NotReady,
    errors.PredictorUnavailable,
    errors.ContractMismatch,
    errors.DeadlineExceeded,
)
TRANSFORMER_ALONE = "422, 502 and `predictor_unavailable` come from the transformer alone."

_HEADERS = {
    "X-Request-ID": {"description": "the request's own id, or a new one", "schema": TEXT},
    "X-Fingerprint": {"description": "contract version and preprocessing", "schema": TEXT},
    "Retry-After": {"description": "seconds", "schema": COUNT},
}
_IN_PATH = {"model_name": "name of the model", "version": "version of the model, as its metadata names it"}

_FRAMEWORKS_OWN = "HTTPValidationError"
"""FastAPI tells of an answer to bad parameters that our doors never give."""


def describe(app: FastAPI, schemas: Mapping[str, Schema]) -> None:
    """Let the application answer `/openapi.json` with its operations, by the way that FastAPI documents for it.

    `schemas` are those that the operations refer to by name, beside `error`.
    """

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = {"schemas": {"error": ERROR, **schemas}, "headers": _HEADERS}
            app.openapi_schema = _ours(document) | {"components": components}
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # https://fastapi.tiangolo.com/how-to/extending-openapi/


def operation(
    name: str,
    summary: str,
    answer: Content,
    *refusals: type[ServiceError],
    description: str = "",
    headers: Mapping[str, Any] | None = None,
    **extra: Any,
) -> Operation:
    """An operation that answers with 200 (and `headers`) or an error; `extra` stands in the document as it is."""
    predicts = ["X-Fingerprint"] if errors.ContractMismatch in refusals else []
    named = _named("X-Request-ID", *predicts) | dict(headers or {})
    success = {"description": "the answer", "headers": named, "content": answer}
    return {
        "operation_id": name,
        "summary": summary,
        "description": description,
        "responses": {"200": success} | _errors(refusals),
        "response_class": Response,  # of no media type: the contents name theirs
        "openapi_extra": extra,
    }


def content(schema: Schema, *kinds: str, **examples: object) -> Content:
    """One schema under these media types, JSON if none is named."""
    values = {name: {"value": value} for name, value in examples.items()}
    return {
        kind: {"schema": schema} | ({"examples": values} if values else {}) for kind in kinds or ["application/json"]
    }


def _errors(leaves: Iterable[type[ServiceError]]) -> dict[str, Any]:
    by_status: dict[str, list[type[ServiceError]]] = {}
    for leaf in leaves:
        by_status.setdefault(str(leaf.status), []).append(leaf)
    return {status: _error(by_status[status]) for status in sorted(by_status)}


def _error(leaves: list[type[ServiceError]]) -> dict[str, Any]:
    """The answer of one status, which several errors may share."""
    codes = {"properties": {"code": {"enum": [leaf.code for leaf in leaves]}}}
    again = ["Retry-After"] if any(leaf.retryable for leaf in leaves) else []
    return {
        "description": "\n".join(f"- `{leaf.code}`: {REASONS[leaf]}" for leaf in leaves),
        "headers": _named("X-Request-ID", *again),
        "content": content({"allOf": [ref("error"), codes]}),
    }


def _named(*headers: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _ours(document: dict[str, Any]) -> dict[str, Any]:
    for path, operations in document["paths"].items():
        for each in operations.values():
            others = [parameter for parameter in each.pop("parameters", []) if parameter["in"] != "path"]
            if parameters := _in_path(path) + others:
                each["parameters"] = parameters
            if _FRAMEWORKS_OWN in str(each["responses"].get("422")):
                del each["responses"]["422"]
    return document


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": _IN_PATH[name], "schema": TEXT}
        for name in re.findall(r"{(\w+)}", path)
    ]
