"""JSON answers, and errors in the one form that every door uses."""

import logging
from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from oip.errors import InvalidRequest
from serving import call
from serving.errors import (
    UNEXPECTED,
    BadInput,
    InternalError,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    as_service_error,
)

logger = logging.getLogger(__name__)

CLIENT_GONE = 499
"""Only ever seen in the log: nobody is there to read it (nginx's number)."""


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of ours, of the protocol, of the framework and of a fault as `{"error", "code"}`."""
    for kind in (ServiceError, InvalidRequest, *UNEXPECTED):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _answer_framework)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)


def report(error: Exception) -> ServiceError:
    """The leaf for an error, noted for the request's log line; a fault of ours is logged with its trace."""
    leaf = as_service_error(error)
    call.current().error_code = leaf.code
    if isinstance(leaf, InternalError):
        logger.error("request %s failed", call.current().id, exc_info=error)
    return leaf


async def _answer(_: Request, error: Exception) -> Response:
    leaf = report(error)
    return json_response({"error": leaf.message, "code": leaf.code}, leaf.status, leaf.headers)


async def _answer_framework(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(type(error))
    if error.status_code == NotFound.status:
        return await _answer(request, NotFound(f"there is no {request.url.path[:200]} here"))
    if error.status_code == MethodNotAllowed.status:
        allow = _allowed(error)
        return await _answer(request, MethodNotAllowed(f"method: expected {allow}, got {request.method}", allow))
    return await _answer(request, BadInput(str(error.detail)))


def _allowed(error: HTTPException) -> str:
    """The route's methods, HEAD wherever GET is; only the files of `/docs` name none, and take GET."""
    methods = set((error.headers or {}).get("Allow", "GET").split(", "))
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


async def _answer_nobody(_: Request, __: Exception) -> Response:
    call.current().error_code = call.CLIENT_GONE
    return Response(status_code=CLIENT_GONE)
