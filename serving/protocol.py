"""HTTP/1.1 as uvicorn speaks it, with limits on the time and size of what comes before a request's body."""

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
                self.send_400_response("Headers too long.")
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

    def _await_headers(self) -> None:
        self._too_slow = self.loop.call_later(MAX_HEADER_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
