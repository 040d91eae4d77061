"""What a gRPC client and its server send each other, byte for byte: a relay between them that keeps it."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

ENCODING = b"grpc-encoding"
"""gRPC's header for how messages are packed; it goes out as it stands, without HPACK's own coding."""


class Relay(ThreadingTCPServer):
    """Listens on loopback and passes all on to the target; `asked` and `answered` are what went either way."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.target = target
        self.asked = bytearray()
        self.answered = bytearray()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def hear(self, content: bytes) -> None:
        """Wait until the client has said that."""
        while content not in self.asked:
            time.sleep(0.02)


@contextmanager
def relaying(target: str) -> Iterator[Relay]:
    """Between a client and the server at `target`, on 127.0.0.1."""
    with Relay(target) as relay:
        Thread(target=relay.serve_forever, args=(0.02,), daemon=True).start()
        yield relay
        relay.shutdown()


def packed_as(algorithm: str) -> bytes:
    """What stands on the wire where a side says that it packs its messages so."""
    return ENCODING + bytes([len(algorithm)]) + algorithm.encode()


class _Passage(BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        host, port = self.server.target.split(":")
        with socket.create_connection((host, int(port))) as upstream:
            Thread(target=_copy, args=(self.request, upstream, self.server.asked), daemon=True).start()
            _copy(upstream, self.request, self.server.answered)


def _copy(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            kept += content
            sink.sendall(content)
        sink.shutdown(socket.SHUT_WR)
