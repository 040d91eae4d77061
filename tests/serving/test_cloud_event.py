"""The V1 door reads any JSON content type and CloudEvents in both modes, and answers in kind."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.errors import InvalidRequest
from serving.cloud_event import STRUCTURED, CloudEvent
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

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
STRANGE = [b"1e999", b"9" * 400, b'"\xff"', b'"\xed\xa0\x80"', rb'"\ud800"', b"NaN", b"", b"[[", b"null", b"\0"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An event with members added or taken away, one value that may be no JSON, and some bytes cut out."""
    members = draw(st.dictionaries(st.sampled_from([*EVENT, "note"]) | st.text(max_size=9), VALUES, max_size=4))
    kept = draw(st.just(set(EVENT)) | st.sets(st.sampled_from(list(EVENT))))
    event = {name: value for name, value in EVENT.items() if name in kept} | members
    event[draw(st.sampled_from([*EVENT, "note"]))] = "here"
    content = json.dumps(event).encode().replace(b'"here"', draw(st.sampled_from(STRANGE) | st.binary(max_size=9)))
    start, length = draw(st.integers(0, len(content))), draw(st.sampled_from([0, 0, 1, 9]))
    return content[:start] + content[start + length :]


TEXTS = st.binary(max_size=200) | mutated() | VALUES.map(lambda value: json.dumps(value).encode())


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


def test_a_binary_event_may_hold_what_is_called_a_structured_one(server: Process) -> None:
    answer = post(server, EVENT["data"], HEADERS | {"content-type": STRUCTURED})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["ce-type"] == "io.kserve.inference.response"
    assert answer.json() == {"predictions": [0.0]}


@pytest.mark.parametrize("changes", [{"time": ...}, {"time": None}, {"specversion": "0.3"}, {"note": 7, "last": True}])
def test_a_structured_event_may_have(server: Process, changes: dict[str, Any]) -> None:
    answer = post(server, event(**changes), {"content-type": STRUCTURED})
    assert (answer.status_code, answer.json()["data"]) == (200, {"predictions": [0.0]})


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "data"])
def test_a_structured_event_that_lacks_an_attribute_is_refused(server: Process, attribute: str) -> None:
    answer = post(server, event(**{attribute: ...}), {"content-type": STRUCTURED})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert answer.json()["error"] == f"body: expected a member '{attribute}', got none"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"specversion": None}, "specversion: expected a string, got null"),
        ({"specversion": "9"}, "specversion: expected 1.0 or 0.3, got '9'"),
        ({"id": 7}, "id: expected a string, got an integer"),
        ({"source": None}, "source: expected a string, got null"),
        ({"note": {"a": 1}}, "'note': expected a string, number or boolean, got an object"),
        ({"note": "x" * 65_536}, "body: expected at most 65536 bytes of attributes, got "),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_structured_event_is_refused(server: Process, changes: dict[str, Any], said: str) -> None:
    answer = post(server, event(**changes), {"content-type": STRUCTURED})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert answer.json()["error"].startswith(said)


@pytest.mark.parametrize("value", [b"1e999", b"9" * 5000, b'"\xff"', b'"\xed\xa0\x80"', rb'"\ud800"', b"NaN", b"-"])
def test_an_attribute_that_cannot_be_read_is_refused(server: Process, value: bytes) -> None:
    text = json.dumps(event(note="here")).encode().replace(b'"here"', value)
    answer = httpx.post(server.url + PREDICT, content=text, headers={"content-type": STRUCTURED})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


@pytest.mark.parametrize("version", ["9", "", "1", "1.0 "])
def test_a_binary_event_of_another_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidRequest, match=r"ce-specversion: expected 1\.0 or 0\.3, got"):
        CloudEvent(HEADERS | {"ce-specversion": version}).data(b"{}")


def test_a_request_that_merely_mentions_a_version_is_left_as_it_is() -> None:
    text = b'{"seconds": 0, "specversion": "1.0"}'
    assert CloudEvent({}).data(text) == text


@given(st.sampled_from([{}, HEADERS, {"content-type": STRUCTURED}, HEADERS | {"content-type": STRUCTURED}]), TEXTS)
def test_nothing_but_a_refusal_comes_of_any_body(headers: dict[str, str], text: bytes) -> None:
    came = CloudEvent(headers)
    try:
        came.data(text)
    except InvalidRequest:
        return
    assert came.answer("sleeper", {"predictions": []}).status_code == 200


@given(st.dictionaries(st.text(max_size=8), SCALARS, max_size=5))
def test_whatever_the_attributes_an_event_is_answered(attributes: dict[str, Any]) -> None:
    came = CloudEvent({"content-type": STRUCTURED})
    came.data(json.dumps(attributes | event()).encode())
    assert json.loads(bytes(came.answer("sleeper", {"predictions": []}).body))["data"] == {"predictions": []}


@pytest.fixture(scope="module")
def merging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """With kserve's three variables."""
    names = {"CE_MERGE": "true", "CE_TYPE": "photo.classified", "CE_SOURCE": "shop"}
    process = sleeper(tmp_path_factory.mktemp("merging") / "log", **names).start().until()
    yield process
    process.end()


def test_kserves_variables_name_type_and_source_and_merge_the_rest_into_a_structured_answer(merging: Process) -> None:
    answer = post(merging, event(subject="cat", note=7, time=...), {"content-type": STRUCTURED}).json()
    assert (answer["type"], answer["source"]) == ("photo.classified", "shop")
    assert (answer["subject"], answer["note"]) == ("cat", 7)
    assert answer["id"] not in {"", "e-1"}
    assert answer["time"]


def test_kserves_variables_name_type_and_source_and_merge_the_rest_into_a_binary_answer(merging: Process) -> None:
    headers = post(merging, EVENT["data"], HEADERS | {"ce-subject": "cat", "ce-datacontenttype": "text/plain"}).headers
    assert (headers["ce-type"], headers["ce-source"], headers["ce-subject"]) == ("photo.classified", "shop", "cat")
    assert headers["ce-id"] not in {"", "e-1"}
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["extensions", "SPECVERSION", "Type", "ID", "", "data_base64", "no_name", "ce"])
@pytest.mark.parametrize("value", ["9", None, 7])
def test_an_attribute_by_any_name_fails_no_merged_answer(merging: Process, name: str, value: object) -> None:
    answer = post(merging, event(**{name: value}), {"content-type": STRUCTURED})
    assert answer.status_code == 200
    assert answer.json()["specversion"] == "1.0"


@pytest.mark.parametrize("name", ["ce-extensions", "ce-data", "ce-", "ce-no_name"])
def test_a_header_by_any_name_fails_no_merged_answer(merging: Process, name: str) -> None:
    answer = post(merging, EVENT["data"], HEADERS | {name: "9"})
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0.0]})


@pytest.mark.parametrize("body", [b"[1, 2]", b"7", b'"text"', b"null", b"{"])
def test_a_body_that_is_no_object_is_refused(server: Process, body: bytes) -> None:
    answer = httpx.post(server.url + PREDICT, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


def event(**changes: Any) -> dict[str, Any]:
    """The event with these members; an ellipsis takes one away."""
    return {name: value for name, value in (EVENT | changes).items() if value is not ...}


def post(server: Process, document: Any, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(server.url + PREDICT, json=document, headers=headers)
