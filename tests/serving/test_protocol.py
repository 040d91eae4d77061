"""What comes before a request's body has limits of size and time."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from serving.protocol import MAX_HEADER_BYTES, MAX_HEADER_SECONDS
from tests.e2e.processes import Process
from tests.serving.test_server import PREDICT, sleeper


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = sleeper(tmp_path_factory.mktemp("protocol") / "log").start().until()
    yield process
    process.end()


@pytest.fixture
def connection(server: Process) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=30) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_headers_within_the_limit_are_read_in_any_pieces(server: Process) -> None:
    long = "x" * (MAX_HEADER_BYTES - 1000)
    assert httpx.get(server.url + "/health", headers={"x-long": long}).status_code == 200


def test_headers_over_the_limit_end_the_connection(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * MAX_HEADER_BYTES)
    assert received(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost"])
def test_a_request_that_does_not_come_ends_the_connection(connection: socket.socket, sent: bytes) -> None:
    started = time.monotonic()
    connection.sendall(sent)
    assert received(connection) == b""
    assert MAX_HEADER_SECONDS - 1 < time.monotonic() - started < MAX_HEADER_SECONDS + 10


def test_a_connection_is_used_again_and_again(server: Process) -> None:
    with httpx.Client(base_url=server.url) as client:
        ports = set()
        for _ in range(5):
            answer = client.post(PREDICT, json={"seconds": 0}, headers={"x-long": "x" * 30_000})
            assert answer.json() == {"predictions": [0.0]}
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1


def test_a_request_that_offers_http2_keeps_its_body(server: Process) -> None:
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAEAAEAAAAIAAAAB"}
    answer = httpx.post(server.url + PREDICT, json={"seconds": 0}, headers=offer)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0.0]})


def test_a_body_that_looks_like_an_offer_is_left_alone(server: Process) -> None:
    body = b'{"seconds": 0, "text": "x"}' + b" " * 10 + b"\r\nUpgrade: h2c\r\n"
    answer = httpx.post(server.url + PREDICT, content=body)
    assert answer.status_code == 400, "it is no JSON, and all of it was read"
    assert "malformed JSON" in answer.json()["error"]
