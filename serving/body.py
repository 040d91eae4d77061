"""A request's body, read no further than its limit, and its client, who may leave before the answer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from serving import call
from serving.compression import Inflater
from serving.errors import TooLarge

T = TypeVar("T")

_CLASS_BYTES = 1024
"""Naming a class takes about as long as decoding so much JSON."""

_AT_ONCE_BYTES = 1 << 20
"""Decoded as JSON, or copied, more than this would be felt by the requests beside it."""


def bounded(request: Request, limit: int) -> Request:
    """The same request, decompressed, whose body (and form) cannot grow over `limit` bytes.

    Raises TooLarge at once when Content-Length says so, else while reading.
    """
    inflater = Inflater(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit, declared)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        if body := message.get("body"):
            message["body"] = inflater.inflate(body, limit - received)
            received += len(message["body"])
        if received > limit:
            raise _too_large(limit, f"{received} or more")
        if message["type"] == "http.request" and not message.get("more_body"):
            inflater.check_complete()
        return message

    return Request(request.scope, receive)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, which is cancelled when the client leaves; raises ClientDisconnect then.

    For use once the body is read: all that can be received then is that the client has gone.
    """
    working, leaving = asyncio.create_task(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def apart(size: int, translate: Callable[..., T], *arguments: Any) -> T:
    """What `translate` makes of so many bytes; of many in a thread, so that others are not held up."""
    if size <= _AT_ONCE_BYTES:
        return translate(*arguments)
    return await asyncio.to_thread(translate, *arguments)


async def answer_apart(translate: Callable[..., T], *arguments: Any) -> T:
    """What `translate` makes of this call's answer; of one that names many classes in a thread."""
    return await apart(call.current().named_classes * _CLASS_BYTES, translate, *arguments)


def _too_large(limit: int, given: str) -> TooLarge:
    return TooLarge(f"body: expected at most {limit} bytes, got {given}")
