import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.document import parse_json, read_list, read_object, read_parameters, read_string, required
from oip.errors import InvalidRequest


def test_json_is_parsed() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, "\xc3\xa9"]}') == {"a": [1, 2.5, None, "é"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}x",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[1e400]",
        b"[01]",
        b'"\xff"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 100_000,
    ],
)
def test_malformed_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^malformed JSON: .{1,120}$"):
        parse_json(body)


@given(st.binary())
def test_random_bytes_are_json_or_refused(body: bytes) -> None:
    with suppress(InvalidRequest):
        parse_json(body)


@pytest.mark.parametrize("unit", [b"[]", b"{}", b'{"b":{}}', b"[[]]", b"0.5", b'"\xc3\xa9"', b"99999"])
def test_parsing_takes_at_most_the_stated_multiple_of_the_body(unit: bytes) -> None:
    body = b"[" + b",".join([unit] * 50_000) + b"]"
    tracemalloc.start()
    value = parse_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert value
    assert peak < 45 * len(body)


@pytest.mark.parametrize("value", [None, [], "", 1, True])
def test_only_an_object_is_an_object(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: expected an object, got "):
        read_object("body", value)


@pytest.mark.parametrize("value", [None, {}, "", 1, True])
def test_only_a_list_is_a_list(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: expected a list, got "):
        read_list("inputs", value)


@pytest.mark.parametrize("value", [None, {}, [], 1, True])
def test_only_a_string_is_a_string(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^id: expected a string, got "):
        read_string("id", value)


def test_a_missing_member_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs\[0\]: expected a member 'name', got none$"):
        required("inputs[0]", {}, "name")


def test_parameters_are_scalars() -> None:
    parameters = {"a": "x", "b": True, "c": 1, "d": 0.5}
    assert read_parameters("parameters", parameters) == parameters


@pytest.mark.parametrize(("value", "shown"), [(None, "null"), ([], "a list"), ({}, "an object")])
def test_other_parameters_are_refused(value: object, shown: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^parameters 'p': expected a string, number or boolean, got {shown}$"):
        read_parameters("parameters", {"p": value})
