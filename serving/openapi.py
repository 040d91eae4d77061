"""What `/openapi.json` says: our operations, and only answers that they give."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
"""FastAPI tells of an answer to bad parameters that our doors never give."""


def describe(app: FastAPI) -> None:
    """Let the application answer `/openapi.json` with its operations, by the way that FastAPI documents for it."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _ours(get_openapi(title=app.title, version=app.version, routes=app.routes))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # https://fastapi.tiangolo.com/how-to/extending-openapi/


def _ours(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            if _FRAMEWORKS_OWN[0] in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in _FRAMEWORKS_OWN:
        document.get("components", {}).get("schemas", {}).pop(name, None)
    return document
