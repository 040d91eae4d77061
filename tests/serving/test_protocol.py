"""What comes before a request's body has limits of size and time."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

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


def refusal(connection: socket.socket) -> tuple[str, dict[str, str], Any]:
    """Status line, headers and JSON of the one answer."""
    head, _, content = received(connection).decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), json.loads(content)


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"PHOTO /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost x\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda sent: repr(sent[:24]),
)
def test_what_is_no_http_is_refused_in_json(connection: socket.socket, sent: bytes) -> None:
    connection.sendall(sent)
    status, headers, content = refusal(connection)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert "date" in headers
    assert content == {"error": "request: expected HTTP/1.1, got something else", "code": "bad_input"}


def test_headers_over_the_limit_are_refused_in_json(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * MAX_HEADER_BYTES)
    _, _, content = refusal(connection)
    assert content["error"].startswith(f"headers: expected at most {MAX_HEADER_BYTES} bytes, got ")
    assert content["code"] == "bad_input"


def test_a_body_that_breaks_off_into_no_http_is_refused_in_json(connection: socket.socket) -> None:
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    connection.sendall(head + b"no length\r\n")
    _, _, content = refusal(connection)
    assert content["code"] == "bad_input"
