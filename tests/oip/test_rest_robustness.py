"""Whatever the bytes, `oip.rest` decodes or refuses them; nothing else leaves it."""

from contextlib import suppress
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from oip.errors import InvalidRequest
from oip.rest import decode_request, decode_response, encode_request
from oip.tensor import InferRequest
from tests.oip.strategies import json_values, requests

header_lengths = st.none() | st.integers(-2, 600)


def decode_or_refuse(body: bytes, header_length: int | None) -> None:
    with suppress(InvalidRequest):
        decode_request("m", body, header_length)
    with suppress(InvalidRequest):
        decode_response(body, header_length)


@st.composite
def mutated_bytes(draw: st.DrawFn, body: bytes) -> bytes:
    """The body with some stretches replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        stop = draw(st.integers(start, min(len(body), start + 8)))
        body = body[:start] + draw(st.binary(max_size=8)) + body[stop:]
    return body


@st.composite
def mutated_json(draw: st.DrawFn, value: Any) -> Any:
    """The value with one part of it, at any depth, replaced by another or left out."""
    if not isinstance(value, list | dict) or not value or draw(st.integers(0, 4)) == 0:
        return draw(json_values)
    changed = value.copy()
    key = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if draw(st.integers(0, 4)) == 0:
        del changed[key]
    else:
        changed[key] = draw(mutated_json(value[key]))
    return changed


@given(st.binary(max_size=300), header_lengths)
def test_random_bytes_are_decoded_or_refused(body: bytes, header_length: int | None) -> None:
    decode_or_refuse(body, header_length)


@given(json_values, header_lengths)
def test_random_json_is_decoded_or_refused(value: Any, header_length: int | None) -> None:
    decode_or_refuse(orjson.dumps(value), header_length)


@given(requests(as_json=False), st.data())
def test_a_mutated_binary_request_is_decoded_or_refused(request: InferRequest, data: st.DataObject) -> None:
    body, header_length = encode_request(request, binary=True)
    shifted = None if header_length is None else header_length + data.draw(st.sampled_from([0, 0, 0, -1, 1]))
    decode_or_refuse(data.draw(mutated_bytes(body)), shifted)


@given(requests(as_json=True), st.data())
def test_a_json_request_with_a_changed_part_is_decoded_or_refused(request: InferRequest, data: st.DataObject) -> None:
    body, _ = encode_request(request, binary=False)
    decode_or_refuse(orjson.dumps(data.draw(mutated_json(orjson.loads(body)))), None)


@given(requests(as_json=False), st.data())
def test_a_binary_request_with_a_changed_part_is_decoded_or_refused(request: InferRequest, data: st.DataObject) -> None:
    body, header_length = encode_request(request, binary=True)
    document = orjson.dumps(data.draw(mutated_json(orjson.loads(body[:header_length]))))
    decode_or_refuse(document + body[header_length:], len(document))
