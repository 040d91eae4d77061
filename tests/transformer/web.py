"""A web on the loopback interface: a resolver and a connector that record, and a server that answers from a script."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore

from transformer.fetch import Connector, Fetcher, FetchPolicy, Resolver

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"
"""Addresses that pass the judgement; no test connects to them, a `Dialer` goes to the loopback server instead."""

NOT_PUBLIC = "url: expected a host with public addresses only"
"""What a client reads, whichever address it is and whether or not there is such a host."""

URL = "http://photos.example/cat.jpg"
PHOTO = bytes(range(256)) * 8

ROOTS = httpcore.default_ssl_context()
"""What a fetcher trusts unless told otherwise; made once, since it takes longer than a test."""

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver. A name with several lists of addresses answers with one after the other, then stays at the last."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Dialer:
    """A connector that records where it was sent, and connects to a port on loopback; without one it refuses."""

    def __init__(self, port: int | None = None, dead: frozenset[str] = frozenset()) -> None:
        self._port = port
        self._dead = dead
        self.attempts: list[tuple[str, int]] = []

    async def __call__(self, address: str, port: int) -> httpcore.AsyncNetworkStream:
        self.attempts.append((address, port))
        if self._port is None or address in self._dead:
            raise ConnectionRefusedError
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._port)


@dataclass
class Site:
    """A running server: its port, and the head of each request it got (one connection each)."""

    port: int = 0
    requests: list[str] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return [request.split()[1] for request in self.requests]


def raw(answer: bytes) -> Script:
    """Sends these bytes and closes."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return script


def endless(start: bytes, piece: bytes, pause_seconds: float = 0) -> Script:
    """Sends `start`, then `piece` until the client goes."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return script


def answer(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """A response with its Content-Length; header names are written with underscores."""
    fields = {"content_length": str(len(body))} | headers
    lines = [f"HTTP/1.1 {status} -", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ok(body: bytes = PHOTO, **headers: str) -> Script:
    return raw(answer(body, 200, **headers))


def redirect(location: str, status: int = 302) -> Script:
    return raw(answer(b"", status, location=location))


@asynccontextmanager
async def site(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """A server on loopback whose connections follow the scripts one after the other, then the last one again."""
    waiting = list(scripts)
    here = Site()
    connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections[writer] = asyncio.current_task()
        try:
            here.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client is free to leave
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()
        await asyncio.gather(*filter(None, connections.values()))


def fetcher(
    resolver: Resolver | None = None,
    connector: Connector | None = None,
    policy: FetchPolicy | None = None,
    roots: ssl.SSLContext = ROOTS,
) -> Fetcher:
    names = Names({"photos.example": [[PUBLIC]], "cdn.example": [[PUBLIC_6]]})
    return Fetcher(policy or FetchPolicy(), resolver or names, connector or Dialer(), roots)


async def fetch_answer(script: Script, policy: FetchPolicy | None = None) -> bytes:
    """What a fetch makes of a host that answers like this."""
    async with site(script) as host:
        return await fetcher(connector=Dialer(host.port), policy=policy).fetch(URL)
