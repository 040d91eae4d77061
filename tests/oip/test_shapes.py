import re

import pytest

from oip.errors import InvalidRequest
from oip.shapes import DIMENSIONS_LIMIT, ELEMENTS_LIMIT, checked_shape


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
