"""gzip and deflate, of requests as they arrive and of answers that are asked for so."""

import zlib

from fastapi import Request

from serving.errors import BadInput, UnsupportedMedia

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
"""zlib's name for each format; deflate is zlib's own (RFC 9110, section 8.4.1.2)."""

WORTHWHILE_BYTES = 1024
"""Answers below this gain nothing."""


class Inflater:
    """Undoes a request's Content-Encoding piece by piece; raises UnsupportedMedia for one that is none of these."""

    def __init__(self, request: Request) -> None:
        self._encoding = request.headers.get("content-encoding", "").strip().lower()
        self._decompressor = None
        if self._encoding not in {"", "identity"}:
            if self._encoding not in _WINDOW_BITS:
                raise UnsupportedMedia(f"content-encoding: expected gzip or deflate, got {self._encoding[:40]!r}")
            self._decompressor = zlib.decompressobj(_WINDOW_BITS[self._encoding])

    def inflate(self, content: bytes, room: int) -> bytes:
        """What the next bytes stand for, cut off one byte over `room`; raises BadInput when they are damaged."""
        if self._decompressor is None:
            return content
        try:
            return self._decompressor.decompress(content, room + 1)
        except zlib.error as error:
            raise BadInput(f"body: expected {self._encoding}, got something else") from error

    def check_complete(self) -> None:
        """Raise BadInput when the compressed data has no end, or goes on behind it."""
        if self._decompressor is not None and (not self._decompressor.eof or self._decompressor.unused_data):
            raise BadInput(f"body: expected one complete {self._encoding} stream, got part of one or more than one")


def deflated(request: Request, content: bytes) -> tuple[bytes, dict[str, str]]:
    """The answer's bytes and headers, compressed when the client accepts it and it is worth it."""
    accepted = request.headers.get("accept-encoding", "").lower()
    encoding = next((name for name in _WINDOW_BITS if name in accepted), None)
    if encoding is None or len(content) < WORTHWHILE_BYTES:
        return content, {}
    compressor = zlib.compressobj(level=1, wbits=_WINDOW_BITS[encoding])
    return compressor.compress(content) + compressor.flush(), {"content-encoding": encoding, "vary": "accept-encoding"}
