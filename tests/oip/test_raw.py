import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.datatypes import DTYPES
from oip.errors import InvalidRequest
from oip.raw import array_from_raw, raw_from_tensor
from oip.tensor import Tensor, bytes_array
from tests.oip.strategies import shapes, tensor, tensor_facts, tensors


@given(tensors(as_json=False))
def test_raw_bytes_read_back_to_the_same_tensor(originals: tuple[Tensor, ...]) -> None:
    for original in originals:
        array = array_from_raw("input 'x'", original.datatype, original.shape, raw_from_tensor(original))
        back = Tensor(original.name, original.datatype, array, original.parameters)
        assert tensor_facts(back) == tensor_facts(original)


@pytest.mark.parametrize(
    ("original", "raw"),
    [
        (tensor("x", "UINT8", [1, 255]), b"\x01\xff"),
        (tensor("x", "UINT16", [1, 258]), b"\x01\x00\x02\x01"),
        (tensor("x", "UINT32", [2**32 - 2]), b"\xfe\xff\xff\xff"),
        (tensor("x", "UINT64", [2**64 - 2]), b"\xfe" + b"\xff" * 7),
        (tensor("x", "INT8", [-2]), b"\xfe"),
        (tensor("x", "INT16", [-2]), b"\xfe\xff"),
        (tensor("x", "INT32", [-2]), b"\xfe\xff\xff\xff"),
        (tensor("x", "INT64", [-2]), b"\xfe" + b"\xff" * 7),
        (tensor("x", "FP16", [1.0]), b"\x00\x3c"),
        (tensor("x", "FP32", [1.0]), b"\x00\x00\x80\x3f"),
        (tensor("x", "FP64", [1.0]), bytes(6) + b"\xf0\x3f"),
        (tensor("x", "BOOL", [True, False]), b"\x01\x00"),
        (tensor("x", "BYTES", [b"ab", b"", b"\x00\xff"]), b"\2\0\0\0ab" + b"\0\0\0\0" + b"\2\0\0\0\x00\xff"),
    ],
)
def test_raw_bytes_are_those_of_the_specification(original: Tensor, raw: bytes) -> None:
    assert raw_from_tensor(original) == raw


def test_rows_follow_each_other_whatever_the_array_strides() -> None:
    transposed = np.array([[1, 3], [2, 4]], np.uint8).T
    assert raw_from_tensor(Tensor("x", "UINT8", transposed)) == b"\1\2\3\4"


def test_an_aligned_tensor_is_a_read_only_view() -> None:
    raw = bytes(range(8))
    array = array_from_raw("input 'x'", "UINT8", (2, 4), raw)
    assert np.shares_memory(array, np.frombuffer(raw, np.uint8))
    assert not array.flags.writeable


@pytest.mark.parametrize("offset", range(4))
def test_a_tensor_at_any_offset_is_aligned(offset: int) -> None:
    raw = memoryview(bytes(offset) + np.array([1.5, -2.0], "<f4").tobytes())[offset:]
    array = array_from_raw("input 'x'", "FP32", (2,), raw)
    assert array.flags.aligned
    assert array.tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "text"),
    [
        ("FP32", (2,), bytes(7), "expected 8 bytes of FP32 for shape [2], got 7"),
        ("FP32", (2,), bytes(9), "expected 8 bytes of FP32 for shape [2], got 9"),
        ("UINT8", (), b"", "expected 1 bytes of UINT8 for shape [], got 0"),
        ("UINT8", (0, 3), b"\0", "expected 0 bytes of UINT8 for shape [0, 3], got 1"),
        ("INT64", (2**31 - 1,), bytes(8), "expected 17179869176 bytes of INT64 for shape [2147483647], got 8"),
        ("BOOL", (2,), b"\1\2", "expected bytes of 0 or 1 for BOOL, got another value"),
        ("BYTES", (2,), b"\0\0\0\0", "expected at least 8 bytes for shape [2], got 4"),
        ("BYTES", (1,), b"\2\0\0\0a", "expected an element's length and 2 bytes, got 5 bytes"),
        ("BYTES", (1,), b"\2\0\0\0", "expected an element's length and 2 bytes, got 4 bytes"),
        ("BYTES", (2,), b"\1\0\0\0a\0\0\0", "expected an element's length and 0 bytes, got 3 bytes"),
        ("BYTES", (1,), b"\xff\xff\xff\xffa", "expected an element's length and 4294967295 bytes, got 5 bytes"),
        ("BYTES", (1,), b"\1\0\0\0ab", "expected 1 elements in 5 bytes, got 1 bytes more"),
        ("BYTES", (0,), b"a", "expected 0 elements in 0 bytes, got 1 bytes more"),
    ],
)
def test_bytes_that_are_not_one_tensor_are_refused(
    datatype: str, shape: tuple[int, ...], raw: bytes, text: str
) -> None:
    with pytest.raises(InvalidRequest, match=r"^" + re.escape(f"input 'x': {text}") + "$"):
        array_from_raw("input 'x'", datatype, shape, raw)


@given(st.sampled_from(list(DTYPES)), shapes, st.binary(max_size=64))
def test_random_bytes_are_a_tensor_or_refused(datatype: str, shape: tuple[int, ...], raw: bytes) -> None:
    try:
        array = array_from_raw("input 'x'", datatype, shape, raw)
    except InvalidRequest:
        return
    assert raw_from_tensor(Tensor("x", datatype, array)) == raw


@pytest.mark.parametrize("datatype", ["UINT8", "FP64", "BYTES"])
def test_nothing_is_allocated_for_a_shape_that_the_bytes_do_not_fill(datatype: str) -> None:
    tracemalloc.start()
    with pytest.raises(InvalidRequest):
        array_from_raw("input 'x'", datatype, (2**31 - 1,), bytes(16))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000


@pytest.mark.parametrize(
    ("datatype", "array"),
    [
        ("FP32", np.zeros(1, np.float64)),
        ("FP32", np.zeros(1, ">f4")),
        ("BYTES", np.array(["text"])),
        ("NONE", np.zeros(1)),
    ],
)
def test_an_array_of_another_type_is_our_own_error(
    datatype: str, array: np.ndarray[tuple[int], np.dtype[np.generic]]
) -> None:
    with pytest.raises(TypeError, match="does not hold numpy's"):
        raw_from_tensor(Tensor("x", datatype, array))


def test_text_in_a_bytes_tensor_is_our_own_error() -> None:
    with pytest.raises(TypeError):
        raw_from_tensor(Tensor("x", "BYTES", bytes_array(["text"])))  # type: ignore[list-item]  # the error under test


def test_booleans_are_judged_by_the_bytes_that_came() -> None:
    for _ in range(20):
        assert array_from_raw("input 'x'", "BOOL", (16,), b"\0\1" * 8).tolist() == [False, True] * 8
        with pytest.raises(InvalidRequest, match="bytes of 0 or 1 for BOOL"):
            array_from_raw("input 'x'", "BOOL", (16,), b"\0\2" * 8)
