import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given

from oip.nesting import count_values, flat_values, is_nested, outline, with_rows, without_contents
from tests.oip.strategies import shapes

DIGITS = b"0123456789"


def outlined(shape: tuple[int, ...]) -> bytes:
    return outline(orjson.dumps(np.zeros(shape, int).tolist()), DIGITS)


@given(shapes.filter(bool))
def test_lists_are_nested_as_in_their_own_shape(shape: tuple[int, ...]) -> None:
    assert is_nested(outlined(shape), shape)


@given(shapes.filter(bool), shapes)
def test_lists_are_nested_as_in_no_other_shape(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    same = np.zeros(other, int).tolist() == np.zeros(shape, int).tolist()
    assert is_nested(outlined(shape), other) == same


@pytest.mark.parametrize(("text", "shape"), [(b"[!]", (0, 2**30)), (b"[[!],[!]]", (2, 0, 2**30))])
def test_a_dimension_behind_a_0_may_be_any(text: bytes, shape: tuple[int, ...]) -> None:
    assert is_nested(text, shape)


@given(shapes.filter(lambda shape: shape and 0 not in shape))
def test_values_are_counted(shape: tuple[int, ...]) -> None:
    assert count_values(outlined(shape)) == math.prod(shape)
    assert with_rows(outlined(shape), (-1, *shape[1:])) == shape


@pytest.mark.parametrize(
    ("text", "values"), [(b"[]", b""), (b"[ ]", b""), (b"[7]", b"7"), (b"[7,\t70 , 7]", b"7,70,7")]
)
def test_one_list_is_taken_out_of_its_brackets(text: bytes, values: bytes) -> None:
    assert flat_values(memoryview(text), DIGITS) == values


@pytest.mark.parametrize("text", [b"[[7]]", b"[7,[7]]", b"[x]", b'["7"]', b"[[]]"])
def test_nothing_else_is_one_list(text: bytes) -> None:
    assert flat_values(memoryview(text), DIGITS) is None


@pytest.mark.parametrize(
    "strings", [["a", "b"], ['"', "\\", '\\"', "\\\\"], ["[", "],[", "!"], ["", " ", "\n"], ["\u00e9\U0001f600"]]
)
def test_strings_are_emptied_whatever_they_hold(strings: list[Any]) -> None:
    for text in (orjson.dumps([strings]), orjson.dumps([strings], option=orjson.OPT_INDENT_2)):
        emptied, inside = without_contents(text)
        assert emptied == orjson.dumps([[""] * len(strings)])
        assert text[: text.index(b'"')].translate(None, b" \n") == b"[["
        assert len(inside) == len(text)
        assert not inside[0]
        assert inside[text.index(b'"')]
