import tracemalloc
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import Decoder

from oip.document import Json, decode_json, is_given, read_parameters
from oip.errors import InvalidRequest
from oip.tensor import Parameter


class Named(msgspec.Struct):
    name: str
    flag: bool = False


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Raw(msgspec.Struct):
    data: Json


def test_json_is_decoded_into_its_type() -> None:
    assert decode_json(Decoder(Named), b'{"name": "\xc3\xa9", "flag": true}') == Named("é", True)


def test_members_that_the_type_lacks_are_skipped() -> None:
    assert decode_json(Decoder(Named), b'{"x": [1, {"y": null}], "name": "n"}') == Named("n")


def test_a_tensor_stays_text() -> None:
    assert bytes(decode_json(Decoder(Raw), b'{ "data" : [1, 2 ] }').data) == b"[1, 2 ]"


@pytest.mark.parametrize("decoder", [Decoder(dict[str, Json]), Decoder(object)], ids=["skipped", "read"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}x",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": [1 2]}',
        b'{"a": [1,]}',
        b'{"a": [01]}',
        b'{"a": [1.]}',
        b'{"a": [-]}',
        b'{"a": [--1]}',
        b'{"a": [1-1]}',
        b'{"a": [1e5e5]}',
        b'{"a": [+1]}',
        b'{"a": [.5]}',
        b'{"a": [0x10]}',
        b'{"a": [tru]}',
        b'{"a": "\n"}',
        b'{"a": "\\x"}',
        b'{"\xff": 1}',
        b"\xef\xbb\xbf{}",
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"a":' * 100_000,
    ],
)
def test_malformed_json_is_refused_whether_it_is_read_or_skipped(decoder: Decoder[object], body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^malformed JSON: .{1,120}$"):
        decode_json(decoder, body)


@pytest.mark.parametrize(
    ("body", "reason", "position"),
    [
        (b"{", "Input data was truncated", ""),
        (b"{}x", "trailing characters", " (byte 3)"),
        (b'{"a": NaN}', "invalid character", " (byte 6)"),
        (b'"\xff"', "a string that is not UTF-8", ""),
        (b"[" * 100_000, "lists or objects nested over some hundred levels", ""),
    ],
)
def test_a_refusal_says_what_is_malformed_and_in_a_whole_body_where(body: bytes, reason: str, position: str) -> None:
    with pytest.raises(InvalidRequest) as of_body:
        decode_json(Decoder(object), body)
    with pytest.raises(InvalidRequest) as of_field:
        decode_json(Decoder(object), body, "input 'x' data")
    assert str(of_body.value) == f"malformed JSON: {reason}{position}"
    assert str(of_field.value) == f"input 'x' data: malformed JSON: {reason}"


@pytest.mark.parametrize("text", [b'"\xff"', b'"\\ud800"', b'"\xed\xa0\x80"'])
def test_a_string_that_is_not_unicode_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^malformed JSON: "):
        decode_json(Decoder(str), text)


@given(st.binary())
def test_random_bytes_are_json_or_refused(body: bytes) -> None:
    decoders: list[Decoder[Any]] = [Decoder(object), Decoder(Json), Decoder(Named)]
    for decoder in decoders:
        with suppress(InvalidRequest):
            decode_json(decoder, body)


REFUSED = [
    (Decoder(Named), b"[]", "body: expected an object, got a list"),
    (Decoder(Named), b"1", "body: expected an object, got an integer"),
    (Decoder(Named), b"1.5", "body: expected an object, got a number"),
    (Decoder(Named), b"null", "body: expected an object, got null"),
    (Decoder(Named), b"{}", "body: expected a member 'name', got none"),
    (Decoder(Named), b'{"name": true}', "name: expected a string, got true or false"),
    (Decoder(Named), b'{"name": {}}', "name: expected a string, got an object"),
    (Decoder(Named), b'{"name": "n", "flag": "n"}', "flag: expected true or false, got a string"),
    (Decoder(Strict), b'{"name": "n", "<b>": 1}', "body: expected no other members, got another"),
    (Decoder(list[Named]), b'[{"name": "n"}, 7]', "[1]: expected an object, got an integer"),
    (Decoder(list[int]), b"[1, 1.0]", "[1]: expected an integer, got a number"),
    (Decoder(list[int]), b"{}", "body: expected a list, got an object"),
    (Decoder(Named | None), b"[]", "body: expected an object, got a list"),
    (Decoder(list[int] | None), b"{}", "body: expected a list, got an object"),
    (Decoder(str | None), b"1", "body: expected a string, got an integer"),
    (Decoder(Parameter | None), b"[]", "body: expected a string, number or boolean, got a list"),
    (Decoder(int | None), b'"x"', "body: expected int | null, got a string"),
    (Decoder(dict[str, float]), b'{"p": "x"}', "[...]: expected a number, got a string"),
    (Decoder(dict[str, float]), b'{"p": 1e999}', "[...]: number out of range"),
    (Decoder(list[int]), b"[%s]" % (b"9" * 9_000), "[0]: integer value out of range"),
]


@pytest.mark.parametrize(("decoder", "body", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_another_type_is_refused_with_its_place(decoder: Decoder[object], body: bytes, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        decode_json(decoder, body)
    assert str(refusal.value) == text


def test_the_place_begins_with_the_field_that_the_text_is_part_of() -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x' data\[1\]: expected a string, got null$"):
        decode_json(Decoder(list[str]), b'["a", null]', "input 'x' data")


def test_parameters_are_scalars() -> None:
    parameters = {"a": "x", "b": True, "c": 1, "d": 0.5}
    assert read_parameters("parameters", Json(msgspec.json.encode(parameters))) == parameters


def test_no_parameters_are_none() -> None:
    assert read_parameters("parameters", Json()) == {}


@pytest.mark.parametrize(("value", "shown"), [(b"null", "null"), (b"[1]", "a list"), (b"{}", "an object")])
def test_other_parameters_are_refused(value: bytes, shown: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^parameters 'p': expected a string, number or boolean, got {shown}$"):
        read_parameters("parameters", Json(b'{"o": 1, "p": %s}' % value))


def parameters_of(size: int) -> Json:
    return Json(b'{"p": "%s"}' % (b"x" * (size - len('{"p": ""}'))))


def test_parameters_have_a_limit() -> None:
    with pytest.raises(InvalidRequest, match=r"^parameters: expected at most 65536 bytes, got 65537$"):
        read_parameters("parameters", parameters_of(65_537))


def test_parameters_may_be_as_long_as_the_limit() -> None:
    assert set(read_parameters("parameters", parameters_of(65_536))) == {"p"}


@pytest.mark.parametrize(
    ("text", "given"), [(b"", False), (b"null", False), (b"0", True), (b"[]", True), (b'""', True)]
)
def test_null_stands_for_a_member_that_is_not_given(text: bytes, given: bool) -> None:
    assert is_given(Json(text)) == given


@pytest.mark.parametrize("unit", [b"[]", b"{}", b'{"b":{}}', b"[[]]", b"0.5", b'"\xc3\xa9"', b"99999"])
def test_what_is_not_read_takes_no_memory(unit: bytes) -> None:
    body = b'{"data": [' + b",".join([unit] * 50_000) + b"]}"
    tracemalloc.start()
    decode_json(Decoder(Raw), body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000
