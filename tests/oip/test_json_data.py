import json
import math
import re
import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oip.errors import InvalidRequest
from oip.json_data import array_from_json, json_from_tensor
from oip.tensor import Tensor
from tests.oip.strategies import shapes, tensor, tensor_facts, tensors

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
        array = array_from_json(FIELD, original.datatype, original.shape, orjson.dumps(data))
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
    array = array_from_json(FIELD, datatype, shape, orjson.dumps(data))
    assert array.shape == shape
    assert array.tolist() == values


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "text"),
    [
        ("FP32", (1,), None, "data: expected a list, got null"),
        ("FP32", (1,), 1.0, "data: expected a list, got 1.0"),
        ("BYTES", (1,), "text", "data: expected a list, got a string"),
        ("FP32", (1,), {"0": 1}, "data: expected a list, got an object"),
        ("FP32", (3,), [1, 2], "data: expected 3 values for shape [3], got 2"),
        ("FP32", (2,), [1, 2, 3], "data: expected 2 values for shape [2], got 3"),
        ("FP32", (0,), [1], "data: expected 0 values for shape [0], got 1"),
        ("UINT8", (2, 3), [[1, 2, 3], [4, 5]], "data: expected 6 values for shape [2, 3], got 5"),
        ("UINT8", (2, 3), [[1, 2, 3]], "data: expected 6 values for shape [2, 3], got 3"),
        (
            "UINT8",
            (2, 2),
            [[1, 2, 3], [4]],
            "data: expected lists nested as in shape [2, 2], got as many values nested otherwise",
        ),
        (
            "UINT8",
            (2, 1),
            [[1], 2],
            "data: expected lists nested as in shape [2, 1], got as many values nested otherwise",
        ),
        (
            "UINT8",
            (2, 1),
            [1, [2]],
            "data: expected lists nested as in shape [2, 1], got as many values nested otherwise",
        ),
        ("UINT8", (2,), [[1, 2]], "data: expected lists nested as in shape [2], got as many values nested otherwise"),
        (
            "UINT8",
            (1, 1),
            [[[1]]],
            "data: expected lists nested as in shape [1, 1], got as many values nested otherwise",
        ),
        (
            "UINT8",
            (1, 1, 1),
            [[1]],
            "data: expected lists nested as in shape [1, 1, 1], got as many values nested otherwise",
        ),
        ("UINT8", (), [[1]], "data: expected lists nested as in shape [], got as many values nested otherwise"),
        ("UINT8", (), [[]], "data: expected 1 values for shape [], got 0"),
        ("UINT8", (2, 1), [[1], []], "data: expected 2 values for shape [2, 1], got 1"),
        ("UINT8", (2, 0), [[], [1]], "data: expected 0 values for shape [2, 0], got 1"),
        ("UINT8", (2, 0), [[]], "data: expected lists nested as in shape [2, 0], got as many values nested otherwise"),
        ("UINT8", (0, 2), [[]], "data: expected lists nested as in shape [0, 2], got as many values nested otherwise"),
        ("UINT8", (2,), [1, 1.0], "data: expected integers for UINT8, got 1.0"),
        ("UINT8", (1,), [True], "data: expected integers for UINT8, got true"),
        ("UINT8", (1,), ["1"], "data: expected integers for UINT8, got a string"),
        ("UINT8", (1,), [None], "data: expected integers for UINT8, got null"),
        ("UINT8", (2,), [0, 256], "data: expected UINT8 from 0 to 255, got 256"),
        ("UINT8", (1,), [-1], "data: expected UINT8 from 0 to 255, got -1"),
        ("INT8", (1,), [128], "data: expected INT8 from -128 to 127, got 128"),
        ("UINT64", (1,), [-1], "data: expected UINT64 from 0 to 18446744073709551615, got -1"),
        ("INT8", (3,), [0, -129, 0], "data: expected INT8 from -128 to 127, got -129"),
        ("INT16", (2,), [-(2**15), 2**15], "data: expected INT16 from -32768 to 32767, got 32768"),
        ("INT64", (2,), [-(2**63), 2**63], f"data: expected INT64 from {-(2**63)} to {2**63 - 1}, got {2**63}"),
        ("INT64", (1,), [2**63], f"data: expected INT64 from {-(2**63)} to {2**63 - 1}, got {2**63}"),
        ("BOOL", (1,), [1], "data: expected true or false for BOOL, got 1"),
        ("FP32", (1,), ["nan"], "data: expected numbers for FP32, got a string"),
        ("FP32", (1,), [True], "data: expected numbers for FP32, got true"),
        ("UINT8", (3,), [True, 2, 3], "data: expected integers for UINT8, got true"),
        ("UINT8", (2, 2), [[1, 2], [0.5, 3]], "data: expected integers for UINT8, got 0.5"),
        ("UINT8", (2,), [{"0": [1]}, 2], "data: expected integers for UINT8, got an object"),
        ("FP32", (2,), [1, 1e39], "data: expected numbers in the range of FP32, got 1e+39"),
        ("FP32", (3,), [1e39, 1, 2e39], "data: expected numbers in the range of FP32, got 1e+39"),
        ("BYTES", (1,), [1], "data[0]: expected a string, got an integer"),
        ("BYTES", (1,), [{"b64": ""}], "data[0]: expected a string, got an object"),
        ("BYTES", (2,), ["a", ["b"]], "data[1]: expected a string, got a list"),
        ("BYTES", (2,), ["a"], "data: expected 2 values for shape [2], got 1"),
        ("BYTES", (2, 1), [["a"], [1]], "data: expected strings for BYTES, got 1"),
        ("BYTES", (2, 1), [["a"], [None]], "data: expected strings for BYTES, got null"),
        (
            "BYTES",
            (2, 1),
            [["a", "b"]],
            "data: expected lists nested as in shape [2, 1], got as many values nested otherwise",
        ),
        ("BYTES", (1, 1), [["a", "b"]], "data: expected 1 values for shape [1, 1], got 2"),
    ],
)
def test_json_that_is_not_one_tensor_is_refused(datatype: str, shape: tuple[int, ...], data: Any, text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^" + re.escape(f"{FIELD} {text}") + "$"):
        array_from_json(FIELD, datatype, shape, orjson.dumps(data))


def test_half_precision_has_no_json_form() -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x': FP16 has no JSON form, send it as binary data$"):
        array_from_json(FIELD, "FP16", (1,), b"[1.0]")


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


@pytest.mark.parametrize("others", [[], [0] * 20, [200] * 200])
@pytest.mark.parametrize("stranger", [True, False, 1.0, "1", None, 256, -1])
def test_one_stranger_among_many_octets_is_refused(others: list[int], stranger: object) -> None:
    leaves = [*others, stranger]
    with pytest.raises(InvalidRequest):
        array_from_json("x", "UINT8", (len(leaves),), orjson.dumps(leaves))


@given(leaves=st.lists(st.integers(-2, 257), max_size=6), shape=shapes, data=st.data())
def test_lists_are_a_tensor_when_they_are_flat_or_nested_as_its_shape(
    leaves: list[int], shape: tuple[int, ...], data: st.DataObject
) -> None:
    lists = data.draw(st.just(leaves) | nested_lists)
    expected = reference(lists, shape)
    text = json.dumps(lists, indent=data.draw(st.sampled_from([None, 1])), separators=(" ,\t", ": ")).encode()
    if expected is None:
        with pytest.raises(InvalidRequest):
            array_from_json(FIELD, "UINT8", shape, text)
    else:
        assert array_from_json(FIELD, "UINT8", shape, text).tolist() == expected.tolist()


nested_lists: st.SearchStrategy[list[Any]] = st.lists(
    st.recursive(st.integers(-1, 256), lambda inner: st.lists(inner, max_size=3), max_leaves=6), max_size=3
)


def reference(lists: list[Any], shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The same by numpy's own reading of lists, None when they are no such tensor."""
    try:
        array = np.array(lists, np.int64)
    except ValueError:
        return None
    if array.size and not (array.min() >= 0 and array.max() <= 255):
        return None
    if array.ndim == 1 and array.size == math.prod(shape):
        return array.astype(np.uint8).reshape(shape)
    return array.astype(np.uint8).reshape(shape) if is_prefix(array.shape, shape) else None


def is_prefix(lengths: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether lists of these lengths may have the shape: behind a 0 they have nothing that could tell."""
    return lengths == shape or (lengths[-1] == 0 and shape[: len(lengths)] == lengths)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**63 - 2, 0, -1])
def test_the_limits_of_64_bits_are_kept(value: int) -> None:
    assert array_from_json(FIELD, "INT64", (2,), f"[5, {value}]".encode()).tolist() == [5, value]


@pytest.mark.parametrize("value", [2**64 - 1, 2**63, 2**64 - 2, 0])
def test_the_limits_of_unsigned_64_bits_are_kept(value: int) -> None:
    assert array_from_json(FIELD, "UINT64", (2,), f"[{value}, 5]".encode()).tolist() == [value, 5]


@pytest.mark.parametrize("datatype", ["INT8", "INT32", "INT64", "UINT8", "UINT64"])
@pytest.mark.parametrize("digits", [str(2**64), str(-(2**63) - 1), "1" + "0" * 40, "9" * 8000], ids=len)
def test_an_integer_beyond_the_datatype_is_refused(datatype: str, digits: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^input 'x' data: expected {datatype} from .* to .*, got {digits[:20]}"):
        array_from_json(FIELD, datatype, (3,), f"[1, {digits}, 2]".encode())


@pytest.mark.parametrize("values", [[-(2**63) - 1, 0], [0, -(2**63) - 1, 0], [0, 2**63, -(2**63)]])
def test_the_first_integer_beyond_64_bits_is_named(values: list[int]) -> None:
    beyond = next(value for value in values if not -(2**63) <= value < 2**63)
    with pytest.raises(InvalidRequest, match=rf"^input 'x' data: expected INT64 from -\d+ to \d+, got {beyond}$"):
        array_from_json(FIELD, "INT64", (len(values),), str(values).encode())


@pytest.mark.parametrize("text", ["1e400", "-1e400", "9" * 400])
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_a_number_beyond_any_float_is_refused(datatype: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"data: expected numbers in the range of {datatype}, got {text[:20]}"):
        array_from_json(FIELD, datatype, (2,), f"[1, {text}]".encode())


@pytest.mark.parametrize("text", [b"[1E+2,-25e-1,0.5]", b"[[1E+2,-25e-1,0.5]]"])
def test_a_float_may_be_written_in_any_way_of_json(text: bytes) -> None:
    assert array_from_json(FIELD, "FP32", (1, 3), text).tolist() == [[100.0, -2.5, 0.5]]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_to_the_last_bit(value: float) -> None:
    assert array_from_json(FIELD, "FP64", (1,), repr([value]).encode()).tobytes() == np.float64(value).tobytes()


TRICKY = ['["]', "\\", '\\"', "a\\\\", "!", "[]", "],[", " ", "\u00e9", "\n", ""]


@pytest.mark.parametrize("nested", [False, True])
def test_strings_may_hold_what_lists_are_made_of(nested: bool) -> None:
    data = [[text] for text in TRICKY] if nested else TRICKY
    for text in (orjson.dumps(data), json.dumps(data, indent=2).encode()):
        array = array_from_json(FIELD, "BYTES", (len(TRICKY), 1), text)
        assert array.reshape(-1).tolist() == [each.encode() for each in TRICKY]


@pytest.mark.parametrize("text", [b'["\xff"]', b'["\\ud800"]', b'[["\xff"]]'])
def test_strings_that_are_not_unicode_are_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x' data: malformed JSON: [^(]*$"):
        array_from_json(FIELD, "BYTES", (1, 1), text)


@pytest.mark.parametrize("string", [b'"b"', rb'"\\"', rb'"\""'])
@pytest.mark.parametrize("text", [b'["a", "b"]', b'[["a"], ["b"]]'])
def test_millions_of_strings_are_counted_before_they_are_made(text: bytes, string: bytes) -> None:
    many = text.replace(b'"b"', b",".join([string] * 70_000))
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match=r"^input 'x' data: expected 2 values for shape \[2, 1\], got 70001$"):
        array_from_json(FIELD, "BYTES", (2, 1), many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(many)


def test_quotes_in_a_string_are_not_counted_as_strings() -> None:
    text = '"' * 200_000
    assert array_from_json(FIELD, "BYTES", (1,), orjson.dumps([text])).tolist() == [text.encode()]


def test_minus_zero_may_stand_beside_the_greatest_value() -> None:
    assert array_from_json(FIELD, "UINT64", (3,), f"[-0,{2**64 - 1},-0]".encode()).tolist() == [0, 2**64 - 1, 0]


@pytest.mark.parametrize("datatype", ["UINT8", "INT8", "UINT64", "INT64"])
def test_minus_zero_is_zero(datatype: str) -> None:
    assert array_from_json(FIELD, datatype, (3,), b"[-0,10,-0]").tolist() == [0, 10, 0]


@pytest.mark.parametrize("datatype", ["UINT8", "UINT64"])
def test_a_negative_value_is_no_unsigned_one(datatype: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"data: expected {datatype} from 0 to \d+, got -10$"):
        array_from_json(FIELD, datatype, (3,), b"[7,-10,0]")


def test_a_value_out_of_range_is_named_wherever_it_stands() -> None:
    values = [7] * 100_000
    for position in (0, 30_000, 99_999):
        text = orjson.dumps([*values[:position], 256, *values[position + 1 :]])
        with pytest.raises(InvalidRequest, match=r"got 256$"):
            array_from_json(FIELD, "UINT8", (100_000,), text)


@pytest.mark.parametrize("first", [7, 70, 700])
def test_no_value_is_cut_wherever_pieces_of_the_text_end(first: int) -> None:
    values = [first, *[5] * 40_000, 6]
    text = orjson.dumps(values)
    assert b"," in text[2**16 : 2**16 + 2]
    assert array_from_json(FIELD, "UINT16", (len(values),), text).tolist() == values


def test_octets_take_a_small_multiple_of_their_text() -> None:
    text = b"[" + b",".join([b"7"] * 400_000) + b"]"
    tracemalloc.start()
    array_from_json(FIELD, "UINT8", (400_000,), text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(text)


@pytest.mark.parametrize(
    ("datatype", "text", "values"),
    [
        ("INT16", b"[\t[1 ,-2],\r\n [ 3,4 ] ]", [[1, -2], [3, 4]]),
        ("BOOL", b"[ [true], [ false ]]", [[True], [False]]),
        ("BYTES", b'[\r\n\t ["a" ],["b"]]', [[b"a"], [b"b"]]),
    ],
)
def test_space_between_nested_values_is_of_no_meaning(datatype: str, text: bytes, values: list[Any]) -> None:
    assert array_from_json(FIELD, datatype, (2, len(values[0])), text).tolist() == values


def test_many_values_keep_their_order() -> None:
    values = np.random.default_rng(0).integers(0, 65_536, 100_000, dtype=np.uint16)
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    assert (array_from_json(FIELD, "UINT16", (100_000,), text) == values).all()


@pytest.mark.parametrize(
    ("shape", "text", "rows"),
    [((-1, 2), b"[[1,2],[3,4],[5,6]]", 3), ((-1,), b"[1,2]", 2), ((-1, 1, 1), b"[[[1]]]", 1), ((-1, 2), b"[]", 0)],
)
def test_there_may_be_any_number_of_rows(shape: tuple[int, ...], text: bytes, rows: int) -> None:
    assert array_from_json(FIELD, "UINT8", shape, text, flat=False).shape == (rows, *shape[1:])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[1,2,3,4]", "lists nested as in shape [2, 2], got as many values nested otherwise"),
        (b"[[1,2],[3]]", "4 values for shape [2, 2], got 3"),
        (b"[1]", "2 values for shape [1, 2], got 1"),
        (b"[[[1,2]]]", "lists nested as in shape [1, 2], got as many values nested otherwise"),
    ],
)
def test_rows_of_other_lengths_are_refused(text: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match="^" + re.escape(f"input 'x' data: expected {why}") + "$"):
        array_from_json(FIELD, "UINT8", (-1, 2), text, flat=False)


@pytest.mark.parametrize("shape", [(2**31 - 1,), (2**15, 2**15), (2**30, 0)])
@pytest.mark.parametrize("datatype", ["UINT8", "FP64", "BYTES"])
@pytest.mark.parametrize("text", [b"[]", b"[[]]", b"[0]", b'["a"]', b'[["a"]]'])
def test_nothing_is_allocated_for_a_shape_that_the_text_does_not_fill(
    shape: tuple[int, ...], datatype: str, text: bytes
) -> None:
    tracemalloc.start()
    with suppress(InvalidRequest):  # [] is the empty tensor of (2**30, 0)
        array_from_json(FIELD, datatype, shape, text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000
