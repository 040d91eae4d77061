"""A request's body, read no further than its limit."""

from fastapi import Request
from starlette.types import Message

from serving.errors import TooLarge, UnsupportedMedia


def bounded(request: Request, limit: int) -> Request:
    """The same request, whose body (and form) cannot grow over `limit` bytes.

    Raises TooLarge at once when Content-Length says so, else while reading.
    """
    _refuse_encoded(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit, declared)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit, f"{received} or more")
        return message

    return Request(request.scope, receive)


def _too_large(limit: int, given: str) -> TooLarge:
    return TooLarge(f"body: expected at most {limit} bytes, got {given}")


def _refuse_encoded(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMedia(f"content-encoding: expected identity, got {encoding[:40]!r}")
