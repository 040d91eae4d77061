import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from oip.inference_pb2 import ModelInferRequest
from oip.raw_contents import FIELDS_LIMIT, put_in, taken_out

RAWS = ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER
SIZES = [0, 1, 127, 128, 16383, 16384, 2**21]

messages = st.builds(
    ModelInferRequest,
    model_name=st.text(max_size=200),
    id=st.text(max_size=5),
    raw_input_contents=st.lists(st.binary(max_size=300), max_size=5),
)


@given(messages)
def test_raw_contents_are_taken_out_and_put_in_again(message: ModelInferRequest) -> None:
    rest, raws = taken_out(message.SerializeToString(), RAWS)
    assert [bytes(raw) for raw in raws] == list(message.raw_input_contents)
    without = ModelInferRequest.FromString(rest)
    assert not without.raw_input_contents
    assert ModelInferRequest.FromString(put_in(rest, RAWS, raws)) == message


@pytest.mark.parametrize("size", SIZES)
def test_values_of_every_size_are_as_protobuf_writes_them(size: int) -> None:
    raw = bytes(size)
    wire = ModelInferRequest(raw_input_contents=[raw]).SerializeToString()
    assert put_in(b"", RAWS, [raw]) == wire
    assert taken_out(wire, RAWS) == (b"", [memoryview(raw)])


def test_they_may_stand_anywhere() -> None:
    parts = [ModelInferRequest(raw_input_contents=[b"a"]), ModelInferRequest(id="7")] * 2
    rest, raws = taken_out(b"".join(part.SerializeToString() for part in parts), RAWS)
    assert raws == [b"a", b"a"]
    assert ModelInferRequest.FromString(rest) == ModelInferRequest(id="7")


def test_an_array_is_put_in_as_it_lies() -> None:
    array = np.arange(300, dtype=np.uint8)
    assert ModelInferRequest.FromString(put_in(b"", RAWS, [array.data])).raw_input_contents == [array.tobytes()]


def test_what_is_taken_out_is_no_copy() -> None:
    _, (raw,) = taken_out(wire := put_in(b"", RAWS, [b"abc"]), RAWS)
    assert raw.obj is wire


RAW = put_in(b"", RAWS, [b"abc"])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(RAW + b"\x40\x01", id="a number"),
        pytest.param(RAW + b"\xba\x01\x00", id="a field number of two bytes"),
        pytest.param(RAW[:-1], id="cut off"),
        pytest.param(RAW + RAW[:1], id="a field without a length"),
        pytest.param(RAW + b"\x3a\x80", id="half a length"),
        pytest.param(RAW + b"\x3a\x80\x80\x80\x80\x80\x00", id="a length of six bytes"),
        pytest.param(RAW * (FIELDS_LIMIT + 1), id="too many fields"),
    ],
)
def test_another_message_stays_whole(content: bytes) -> None:
    assert taken_out(content, RAWS) == (content, [])


def test_as_many_fields_as_are_looked_at_are_taken_out() -> None:
    assert taken_out(RAW * FIELDS_LIMIT, RAWS) == (b"", [memoryview(b"abc")] * FIELDS_LIMIT)


@given(st.binary(max_size=60))
def test_any_bytes_mean_the_same_to_protobuf_whether_taken_apart_or_not(content: bytes) -> None:
    rest, raws = taken_out(content, RAWS)
    assert read(put_in(rest, RAWS, raws)) == read(content)


def read(content: bytes) -> ModelInferRequest | None:
    try:
        return ModelInferRequest.FromString(content)
    except DecodeError:
        return None
