"""The V1 door reads any JSON content type and CloudEvents in both modes, and answers in kind."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Process
from tests.serving.test_server import PREDICT, sleeper

EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "test",
    "type": "test.request",
    "time": "2026-01-01T00:00:00Z",
    "data": {"seconds": 0},
}
HEADERS = {"ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "test", "ce-type": "test.request"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = sleeper(tmp_path_factory.mktemp("events") / "log").start().until()
    yield process
    process.end()


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "text/plain", "application/octet-stream", ""]
)
def test_json_is_json_whatever_it_is_called(server: Process, kind: str) -> None:
    answer = httpx.post(server.url + PREDICT, content=b'{"seconds": 0}', headers={"content-type": kind})
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0.0]})


def test_a_structured_event_is_answered_by_one(server: Process) -> None:
    answer = post(server, EVENT, {"content-type": "application/cloudevents+json; charset=utf-8"})
    assert answer.headers["content-type"] == "application/cloudevents+json"
    event = answer.json()
    assert event["data"] == {"predictions": [0.0]}
    assert event["type"] == "io.kserve.inference.response"
    assert event["source"] == "io.kserve.inference.sleeper"
    assert event["id"] != "e-1"


def test_a_structured_event_that_is_called_json_is_answered_by_json(server: Process) -> None:
    assert post(server, EVENT, {"content-type": "application/json"}).json() == {"predictions": [0.0]}


def test_a_binary_event_is_answered_by_one(server: Process) -> None:
    answer = post(server, EVENT["data"], HEADERS | {"content-type": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["ce-type"] == "io.kserve.inference.response"
    assert answer.headers["ce-specversion"] == "1.0"
    assert answer.json() == {"predictions": [0.0]}


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "time", "data"])
def test_a_structured_event_that_lacks_an_attribute_is_refused(server: Process, attribute: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != attribute}
    answer = post(server, event, {"content-type": "application/cloudevents+json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert answer.json()["error"] == f"body: expected a member '{attribute}', got none"


def test_a_structured_event_has_room_for_so_many_attributes(server: Process) -> None:
    answer = post(server, EVENT | {"note": "x" * 65_536}, {"content-type": "application/cloudevents+json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert "expected at most 65536 bytes of attributes" in answer.json()["error"]


@pytest.mark.parametrize("body", [b"[1, 2]", b"7", b'"text"', b"null", b"{"])
def test_a_body_that_is_no_object_is_refused(server: Process, body: bytes) -> None:
    answer = httpx.post(server.url + PREDICT, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


def post(server: Process, document: Any, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(server.url + PREDICT, json=document, headers=headers)
