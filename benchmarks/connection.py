"""Keep-alive HTTP connections that cost little: whole requests go out as they are, answers are read by httptools."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import httptools

Answer = tuple[int, bytes]
"""Status and body."""


class Unanswered(ConnectionError):
    """The server closed the connection before the first byte of an answer."""


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._begun = False
        self._answer: asyncio.Future[Answer] | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: bytes) -> "asyncio.Future[Answer]":
        """The answer to come; ConnectionError when the server closes first or answers no HTTP."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._parser, self._body, self._begun = httptools.HttpResponseParser(self), [], False
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the answer broke off") if self._begun else Unanswered())

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue: the answer is still to come
            self._parser, self._body = httptools.HttpResponseParser(self), []
            return
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, b"".join(self._body)))


@dataclass(frozen=True)
class Pool:
    """As many connections to a server as there are requests at once."""

    host: str
    port: int
    idle: list[Connection]

    async def send(self, request: bytes) -> Answer:
        """The answer; OSError when there was none.

        A server may close a connection that was idle just when it is used again: such a request goes out once more on
        another, as HTTP clients do (RFC 9110, 9.2.2; what is asked here has no effect that could happen twice).
        """
        while self.idle:
            if (connection := self.idle.pop()).usable:
                with suppress(Unanswered):
                    return await self._exchange(connection, request)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return await self._exchange(connection, request)

    def close(self) -> None:
        for connection in self.idle:
            connection.close()

    async def _exchange(self, connection: Connection, request: bytes) -> Answer:
        try:
            answer = await connection.send(request)
        except BaseException:
            connection.close()
            raise
        self.idle.append(connection)
        return answer
