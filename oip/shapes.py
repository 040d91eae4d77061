"""Shapes, checked before anything is allocated for them."""

import math
from collections.abc import Sequence

from oip.errors import mismatch
from oip.excerpt import excerpt

Shape = tuple[int, ...]

DIMENSIONS_LIMIT = 32
ELEMENTS_LIMIT = 2**31 - 1
"""Also of the product of a shape's dimensions other than 0: numpy multiplies those even in an empty tensor."""


def checked_shape(field: str, shape: Sequence[object]) -> Shape:
    """The shape as a tuple of integers, each at least 0; the empty shape is a scalar, of one element."""
    if len(shape) > DIMENSIONS_LIMIT:
        raise mismatch(f"{field} shape", f"at most {DIMENSIONS_LIMIT} dimensions", len(shape))
    dimensions = tuple(_checked_dimension(field, dimension) for dimension in shape)
    if math.prod(dimension or 1 for dimension in dimensions) > ELEMENTS_LIMIT:
        raise mismatch(f"{field} shape", f"at most {ELEMENTS_LIMIT} elements", "more")
    return dimensions


def _checked_dimension(field: str, dimension: object) -> int:
    if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 0:
        raise mismatch(f"{field} shape", "integers of at least 0", excerpt(dimension))
    return dimension
