"""The HTTP port: uvicorn, with signals and shutdown in our hands."""

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from serving.process import StartError
from serving.protocol import HttpProtocol
from serving.settings import ServerSettings


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the model server, which stops everything in one written order."""
        yield


class HttpServer:
    """Serves the application on a port that is bound at construction; raises StartError when it is taken."""

    def __init__(self, app: FastAPI, settings: ServerSettings) -> None:
        self._socket = _bind(settings.host, settings.http_port)
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=HttpProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=settings.timeout_keep_alive,
                timeout_graceful_shutdown=math.ceil(settings.grace_period_seconds),
            )
        )
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Close the port and idle connections, answer what was accepted, within the grace period."""
        self._uvicorn.should_exit = True
        if self._serving is not None:
            await self._serving


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StartError(f"http_port: cannot listen on {host}:{port} ({error.strerror})") from error
