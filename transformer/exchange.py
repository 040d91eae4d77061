"""One HTTP GET over one connection, with every byte of the answer counted.

HTTP is spoken with h11, the parser inside httpcore. httpcore's own client hides interim answers and chunk framing, and
a flood of either holds the event loop for a fifth of a second at a time, as long as the fetch may last.
"""

from dataclasses import dataclass

import h11
import httpcore

from serving.errors import FetchFailed, TooLarge
from transformer.url import Url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
READ_BYTES = 16 * 1024
MAX_FRAMING_BYTES = 64 * 1024
"""Heads, interim answers and chunk framing may cost this much, and as many bytes again as the photo has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete body, or where to look instead."""

    body: bytes = b""
    location: bytes | None = None


class Exchange:
    """One GET over one connection, which serves nothing else."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, max_bytes: int, field: str) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._field = field
        self._http = h11.Connection(h11.CLIENT)
        self._wire_bytes = 0
        self._body = bytearray()

    async def get(self, url: Url) -> Answer:
        await self._send(url)
        head = await self._head()
        if head.status_code in REDIRECTS:
            return Answer(location=self._location(head))
        self._check(head)
        return Answer(body=await self._read_body(head))

    async def _send(self, url: Url) -> None:
        headers = {
            "Host": url.host_header,
            "User-Agent": "kserve-image-classifier",
            "Accept": "image/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        request = h11.Request(method="GET", target=url.target, headers=list(headers.items()))
        events = (request, h11.EndOfMessage())
        await self._stream.write(b"".join(self._http.send(event) or b"" for event in events))

    async def _head(self) -> h11.Response:
        event = await self._next_event()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next_event()
        if not isinstance(event, h11.Response):
            raise h11.RemoteProtocolError("no response")
        return event

    def _location(self, head: h11.Response) -> bytes:
        location = _header(head, b"location")
        if location is None:
            raise self._failed(f"expected a Location with status {head.status_code}, got none")
        return location

    def _check(self, head: h11.Response) -> None:
        if head.status_code != 200:
            raise self._failed(f"expected status 200 from the host, got {head.status_code}")
        if (_header(head, b"content-encoding") or b"identity").lower() != b"identity":
            raise self._failed("expected a body without Content-Encoding, got a compressed one")

    async def _read_body(self, head: h11.Response) -> bytes:
        """Counts the bytes of the wire, against the limit and against the length that the host stated."""
        stated = _header(head, b"content-length")
        if stated is not None:
            self._check_size(int(stated))
        while isinstance(event := await self._next_event(), h11.Data):
            self._body += event.data
            self._check_size(len(self._body))
        if stated is not None and (len(self._body) != int(stated) or self._http.trailing_data[0]):
            raise self._failed("expected as many bytes as the host's Content-Length states")
        return bytes(self._body)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._max_bytes:
            raise TooLarge(f"{self._field}: expected a photo of at most {self._max_bytes} bytes, got more")

    async def _next_event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._stream.read(READ_BYTES)
            self._wire_bytes += len(data)
            if self._wire_bytes > MAX_FRAMING_BYTES + 2 * len(self._body):
                raise h11.RemoteProtocolError("more framing than photo")
            self._http.receive_data(data)
        return event

    def _failed(self, problem: str) -> FetchFailed:
        return FetchFailed(f"{self._field}: {problem}")


def _header(head: h11.Response, name: bytes) -> bytes | None:
    values = [value for key, value in head.headers if key == name]
    return b", ".join(values) if values else None
