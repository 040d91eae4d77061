"""HEAD on every GET door: the answer of GET without its body, as load balancers probe with it."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.processes import Process
from tests.serving.test_server import access_line, sleeper

MODEL = "/v2/models/sleeper"
DOORS = (
    "/",
    "/health",
    "/ready",
    "/model/info",
    "/openapi.json",
    "/v1/models",
    "/v1/models/sleeper",
    "/v2",
    "/v2/",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/stats",
    *(base + path for base in (MODEL, MODEL + "/versions/7") for path in ("", "/ready", "/config", "/stats")),
)
REFUSALS = {"/nothing": 404, "/v1/models/cats": 404, MODEL + "/versions/8": 404, "/v2/logging": 501}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = sleeper(tmp_path_factory.mktemp("head") / "log").start().until()
    yield process
    process.end()


@pytest.fixture(scope="module")
def client(server: Process) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


def same_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}


@pytest.mark.parametrize("path", [*DOORS, *REFUSALS])
def test_head_answers_as_get_does_without_a_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == REFUSALS.get(path, 200)
    assert same_headers(head) == same_headers(get)
    assert int(head.headers["content-length"]) == len(get.content) > 0
    assert head.content == b""


def test_metrics_answer_to_head(client: httpx.Client) -> None:
    head = client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/plain")


def test_every_get_door_is_among_these(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    gets = {path.replace("{model_name}", "sleeper").replace("{version}", "7") for path in paths if "get" in paths[path]}
    assert gets <= {*DOORS, "/metrics"}


def test_no_byte_of_a_body_is_sent_and_the_connection_lives_on(server: Process) -> None:
    address = ("127.0.0.1", server.http_port)
    with socket.create_connection(address, timeout=5) as connection, connection.makefile("rb") as answers:
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n")
        head = list(iter(answers.readline, b"\r\n"))
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        rest = answers.read()
    assert head[0] == b"HTTP/1.1 200 OK\r\n"
    assert b"content-length: 15\r\n" in head
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n"), "nothing stands between the answers"
    assert rest.endswith(b'\r\n\r\n{"status":"ok"}')


def test_head_of_a_door_for_post_is_405(client: httpx.Client) -> None:
    answer = client.head(MODEL + "/infer")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize(
    ("path", "allow"), [("/health", "GET, HEAD"), ("/openapi.json", "GET, HEAD"), ("/v2/logging", "GET, HEAD, POST")]
)
def test_head_is_allowed_wherever_get_is(client: httpx.Client, path: str, allow: str) -> None:
    answer = client.delete(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json() == {"error": f"method: expected {allow}, got DELETE", "code": "method_not_allowed"}


def test_head_adds_no_operation(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {method for path in paths.values() for method in path} == {"get", "post"}


@pytest.mark.parametrize(("path", "level"), [("/v2/health/ready", "DEBUG"), ("/", "INFO")])
def test_the_log_tells_of_head_at_the_level_of_get(
    server: Process, client: httpx.Client, path: str, level: str
) -> None:
    for method in ("GET", "HEAD"):
        request_id = f"{method}-{level}"
        client.request(method, path, headers={"x-request-id": request_id})
        line = access_line(server, request_id)
        assert (line["method"], line["route"], line["status"], line["level"]) == (method, path, 200, level)
