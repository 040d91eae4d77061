"""Shapes, checked before anything is allocated for them."""

import math
from collections.abc import Sequence

from oip.datatypes import BYTES
from oip.errors import mismatch
from oip.excerpt import excerpt

Shape = tuple[int, ...]

DIMENSIONS_LIMIT = 32
ELEMENTS_LIMIT = 2**31 - 1
"""Also of the product of a shape's dimensions other than 0: numpy multiplies those even in an empty tensor."""

STRINGS_LIMIT = 2**16


def most_elements(kind: str, datatype: str) -> int:
    """The limit of an `input` or `output`: strings of an input become objects, of which a message holds millions."""
    return STRINGS_LIMIT if (kind, datatype) == ("input", BYTES) else ELEMENTS_LIMIT


def checked_shape(field: str, shape: Sequence[int], limit: int = ELEMENTS_LIMIT) -> Shape:
    """The shape as a tuple, each dimension at least 0; the empty shape is a scalar, of one element."""
    if len(shape) > DIMENSIONS_LIMIT:
        raise mismatch(f"{field} shape", f"at most {DIMENSIONS_LIMIT} dimensions", len(shape))
    if any(dimension < 0 for dimension in shape):
        raise mismatch(f"{field} shape", "integers of at least 0", excerpt(min(shape)))
    if math.prod(dimension or 1 for dimension in shape) > limit:
        raise mismatch(f"{field} shape", f"at most {limit} elements", "more")
    return tuple(shape)
