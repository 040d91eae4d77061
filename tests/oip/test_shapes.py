import re

import pytest

from oip.errors import InvalidRequest
from oip.grpc import request_from_message
from oip.inference_pb2 import ModelInferRequest
from oip.shapes import DIMENSIONS_LIMIT, ELEMENTS_LIMIT, checked_shape, most_elements


@pytest.mark.parametrize(
    "shape", [[], [0], [1], [2, 0, 3], [ELEMENTS_LIMIT], [0, ELEMENTS_LIMIT], [1] * DIMENSIONS_LIMIT]
)
def test_a_good_shape_is_kept(shape: list[int]) -> None:
    assert checked_shape("input 'x'", shape) == tuple(shape)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([-1], "expected integers of at least 0, got -1"),
        ([2, -1, -3], "expected integers of at least 0, got -3"),
        ([1] * (DIMENSIONS_LIMIT + 1), "expected at most 32 dimensions, got 33"),
        ([ELEMENTS_LIMIT + 1], "expected at most 2147483647 elements, got more"),
        ([2**32, 2**32], "expected at most 2147483647 elements, got more"),
        ([2**64 - 1] * 32, "expected at most 2147483647 elements, got more"),
        ([0, 2**63], "expected at most 2147483647 elements, got more"),
    ],
)
def test_a_bad_shape_is_refused(shape: list[int], text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^" + re.escape(f"input 'x' shape: {text}") + "$"):
        checked_shape("input 'x'", shape)


@pytest.mark.parametrize(
    ("kind", "datatype", "most"),
    [
        ("input", "BYTES", 65_536),
        ("input", "UINT8", ELEMENTS_LIMIT),
        ("output", "BYTES", ELEMENTS_LIMIT),
        ("output", "UINT8", ELEMENTS_LIMIT),
    ],
)
def test_only_the_strings_of_an_input_have_a_limit_of_their_own(kind: str, datatype: str, most: int) -> None:
    assert most_elements(kind, datatype) == most


def test_a_shape_may_reach_a_lower_limit_and_not_pass_it() -> None:
    assert checked_shape("input 'x'", [65_536], 65_536) == (65_536,)
    with pytest.raises(InvalidRequest, match=r"^input 'x' shape: expected at most 65536 elements, got more$"):
        checked_shape("input 'x'", [65_537], 65_536)


def test_the_strings_of_a_message_have_that_limit_too() -> None:
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype="BYTES", shape=[65_537])
    with pytest.raises(InvalidRequest, match=r"^input 'x' shape: expected at most 65536 elements, got more$"):
        request_from_message(ModelInferRequest(inputs=[tensor]))
