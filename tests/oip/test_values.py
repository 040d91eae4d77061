import re
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given

from oip.errors import InvalidRequest
from oip.tensor import Tensor
from oip.values import array_from_contents, array_from_json, json_from_tensor
from tests.oip.strategies import tensor, tensor_facts, tensors

FIELD = "input 'x'"


def as_json(original: Tensor, *, nested: bool) -> Any:
    """The tensor's data as a client's JSON would hold it."""
    flat = orjson.loads(orjson.dumps(json_from_tensor(FIELD, original), option=orjson.OPT_SERIALIZE_NUMPY))
    if not nested or not original.shape:
        return flat
    return np.fromiter(flat, object, count=len(flat)).reshape(original.shape).tolist()


@pytest.mark.parametrize("nested", [False, True])
@given(originals=tensors(as_json=True))
def test_json_reads_back_to_the_same_tensor(nested: bool, originals: tuple[Tensor, ...]) -> None:
    for original in originals:
        data = as_json(original, nested=nested)
        array = array_from_json(FIELD, original.datatype, original.shape, data)
        back = Tensor(original.name, original.datatype, array, original.parameters)
        assert tensor_facts(back) == tensor_facts(original)


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "values"),
    [
        ("BOOL", (2,), [True, False], [True, False]),
        ("UINT64", (1,), [2**64 - 1], [2**64 - 1]),
        ("INT64", (1,), [-(2**63)], [-(2**63)]),
        ("FP32", (2,), [1, 2.5], [1.0, 2.5]),
        ("FP64", (1,), [0.1], [0.1]),
        ("BYTES", (2,), ["é", ""], ["é".encode(), b""]),
        ("UINT8", (), [7], 7),
        ("UINT8", (2, 2), [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ("UINT8", (2, 2), [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("UINT8", (2, 0), [[], []], [[], []]),
        ("UINT8", (2, 0), [], [[], []]),
        ("UINT8", (0, 2), [], []),
    ],
)
def test_json_becomes_the_tensor_that_it_says(datatype: str, shape: tuple[int, ...], data: Any, values: Any) -> None:
    array = array_from_json(FIELD, datatype, shape, data)
    assert array.shape == shape
    assert array.tolist() == values


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "text"),
    [
        ("FP32", (1,), None, "data: expected a list, got null"),
        ("FP32", (1,), 1.0, "data: expected a list, got 1.0"),
        ("BYTES", (1,), "text", "data: expected a list, got 'text'"),
        ("FP32", (1,), {"0": 1}, "data: expected a list, got an object"),
        ("FP32", (3,), [1, 2], "data: expected 3 values for shape [3], got 2"),
        ("FP32", (2,), [1, 2, 3], "data: expected 2 values for shape [2], got 3"),
        ("FP32", (0,), [1], "data: expected 0 values for shape [0], got 1"),
        ("UINT8", (2, 3), [[1, 2, 3], [4, 5]], "data: expected lists of 3 at depth 1, as in shape [2, 3], got 2"),
        ("UINT8", (2, 3), [[1, 2, 3]], "data: expected lists of 2 at depth 0, as in shape [2, 3], got 1"),
        ("UINT8", (2, 1), [[1], 2], "data: expected lists nested as in shape [2, 1], got a value at depth 1"),
        ("UINT8", (2, 1), [1, [2]], "data: expected integers for UINT8, got a list"),
        ("UINT8", (1, 1), [[[1]]], "data: expected integers for UINT8, got a list"),
        ("UINT8", (1, 1, 1), [[1]], "data: expected lists nested as in shape [1, 1, 1], got a value at depth 2"),
        ("UINT8", (), [[]], "data: expected integers for UINT8, got a list"),
        ("UINT8", (2,), [1, 1.0], "data: expected integers for UINT8, got 1.0"),
        ("UINT8", (1,), [True], "data: expected integers for UINT8, got true"),
        ("UINT8", (1,), ["1"], "data: expected integers for UINT8, got '1'"),
        ("UINT8", (1,), [None], "data: expected integers for UINT8, got null"),
        ("UINT8", (2,), [0, 256], "data: expected UINT8 from 0 to 255, got 256"),
        ("UINT8", (1,), [-1], "data: expected UINT8 from 0 to 255, got -1"),
        ("INT8", (1,), [128], "data: expected INT8 from -128 to 127, got 128"),
        ("UINT64", (1,), [-1], "data: expected UINT64 from 0 to 18446744073709551615, got -1"),
        ("INT64", (1,), [2**63], f"data: expected INT64 from {-(2**63)} to {2**63 - 1}, got {2**63}"),
        ("BOOL", (1,), [1], "data: expected true or false for BOOL, got 1"),
        ("FP32", (1,), ["nan"], "data: expected numbers for FP32, got 'nan'"),
        ("FP32", (1,), [True], "data: expected numbers for FP32, got true"),
        ("FP32", (2,), [1, 1e39], "data: expected numbers in the range of FP32, got 1e+39"),
        ("BYTES", (1,), [1], "data: expected strings for BYTES, got 1"),
        ("BYTES", (1,), [{"b64": ""}], "data: expected strings for BYTES, got an object"),
    ],
)
def test_json_that_is_not_one_tensor_is_refused(datatype: str, shape: tuple[int, ...], data: Any, text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^" + re.escape(f"{FIELD} {text}") + "$"):
        array_from_json(FIELD, datatype, shape, data)


def test_half_precision_has_no_json_form() -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x': FP16 has no JSON form, send it as binary data$"):
        array_from_json(FIELD, "FP16", (1,), [1.0])


@pytest.mark.parametrize(
    ("original", "what"),
    [
        (tensor("x", "FP16", [1.0]), "FP16 has"),
        (tensor("x", "FP32", [1.0, np.nan]), "NaN and infinity have"),
        (tensor("x", "FP64", [-np.inf]), "NaN and infinity have"),
        (tensor("x", "BYTES", [b"ok", b"\xff"]), "bytes that are not UTF-8 have"),
    ],
)
def test_what_json_cannot_say_is_refused(original: Tensor, what: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^output 'x': {what} no JSON form, ask for binary data$"):
        json_from_tensor("output 'x'", original)


def test_single_precision_is_written_with_the_fewest_digits() -> None:
    data = json_from_tensor("output 'x'", tensor("x", "FP32", [0.1, 0.8932, 1e-10]))
    assert orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY) == b"[0.1,0.8932,1e-10]"


def test_rows_follow_each_other_whatever_the_array_strides() -> None:
    transposed = Tensor("x", "UINT8", np.array([[1, 3], [2, 4]], np.uint8).T)
    assert list(json_from_tensor("output 'x'", transposed)) == [1, 2, 3, 4]


def test_an_array_of_another_type_is_our_own_error() -> None:
    with pytest.raises(TypeError, match="FP32 does not hold numpy's float64"):
        json_from_tensor("output 'x'", Tensor("x", "FP32", np.zeros(1)))


def test_typed_contents_may_be_infinite() -> None:
    assert array_from_contents(FIELD, "FP32", (1,), [np.inf]).tolist() == [np.inf]


@pytest.mark.parametrize("others", [[], [0] * 20, [200] * 200])
@pytest.mark.parametrize("stranger", [True, False, 1.0, "1", None, 256, -1])
def test_one_stranger_among_many_octets_is_refused(others: list[int], stranger: object) -> None:
    leaves = [*others, stranger]
    with pytest.raises(InvalidRequest):
        array_from_json("x", "UINT8", (len(leaves),), leaves)
