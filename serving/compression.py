"""gzip and deflate, of requests as they arrive and of answers that are asked for so."""

import re
import zlib

from fastapi import Request

from serving.errors import BadInput, UnsupportedMedia

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
"""zlib's name for each format; deflate is zlib's own (RFC 9110, section 8.4.1.2). The first is liked best."""

_ALIASES = {"x-gzip": "gzip"}
"""RFC 9110, section 8.4.1.3."""

_WEIGHED = re.compile(r"([^\s;]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")
"""One element of Accept-Encoding: a coding, and how much it is wanted (RFC 9110, section 12.4.2)."""

WORTHWHILE_BYTES = 1024
"""Answers below this gain nothing."""


class Inflater:
    """Undoes a request's Content-Encoding piece by piece; raises UnsupportedMedia for one that is none of these."""

    def __init__(self, request: Request) -> None:
        codings = [coding for coding in _listed(request, "content-encoding") if coding not in {"", "identity"}]
        self._encoding = _ALIASES.get(given := ", ".join(codings), given)
        self._decompressor = None
        if self._encoding:
            if self._encoding not in _WINDOW_BITS:
                raise UnsupportedMedia(f"content-encoding: expected gzip or deflate, got {given[:40]!r}")
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
    headers = {"vary": "accept-encoding"}  # of plain answers too: a cache must not give them to everybody
    encoding = _preferred(_listed(request, "accept-encoding"))
    if not encoding or len(content) < WORTHWHILE_BYTES:
        return content, headers
    compressor = zlib.compressobj(level=1, wbits=_WINDOW_BITS[encoding])
    return compressor.compress(content) + compressor.flush(), {"content-encoding": encoding} | headers


def _listed(request: Request, header: str) -> list[str]:
    """The elements of a list that may stand in several headers, in lower case."""
    return [element.strip() for each in request.headers.getlist(header) for element in each.lower().split(",")]


def _preferred(elements: list[str]) -> str:
    """What the client wants most of what we write, empty where that is nothing; elements that are none are skipped."""
    weighed = [found.groups() for element in elements if (found := _WEIGHED.fullmatch(element))]
    weights = {_ALIASES.get(coding, coding): float(weight or 1) for coding, weight in weighed}
    best = max(_WINDOW_BITS, key=lambda coding: weights.get(coding, weights.get("*", 0)))
    weight = weights.get(best, weights.get("*", 0))
    return best if weight > 0 and weight >= weights.get("identity", 0) else ""
