"""HTTP/1.1 as uvicorn speaks it, with limits on the time and size of what comes before a request's body."""

import asyncio
import re
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import BadInput

MAX_HEADER_BYTES = 64 * 1024
MAX_HEADER_SECONDS = 10.0

_END_OF_HEADERS = b"\r\n\r\n"
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Closes a connection whose headers are too long or too slow; ignores offers to upgrade.

    An upgrade may be ignored (RFC 9110, section 7.8), but the parser would drop the body of a request that offers one,
    as Java's own client does with h2c.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_bytes = 0
        self._awaiting_headers = True
        self._too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaiting_headers:
            if self._too_slow is None:
                self._await_headers()
            head, end, rest = data.partition(_END_OF_HEADERS)
            self._header_bytes += len(head)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(f"headers: expected at most {MAX_HEADER_BYTES} bytes, got {self._header_bytes} or more")
                return
            data = _UPGRADE.sub(b"", head + end) + rest
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._awaiting_headers = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._awaiting_headers, self._header_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        """Called for all that the parser refuses: request line, method, headers, lengths, chunks."""
        self._refuse("request: expected HTTP/1.1, got something else")

    def _refuse(self, text: str) -> None:
        """Answer in the form of every error, and close: what follows cannot be read."""
        content = orjson.dumps({"error": text, "code": BadInput.code})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join((STATUS_LINE[BadInput.status], *lines, b"\r\n", content)))
        self.transport.close()

    def _await_headers(self) -> None:
        self._too_slow = self.loop.call_later(MAX_HEADER_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
