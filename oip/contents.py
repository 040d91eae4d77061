"""gRPC's typed contents: a tensor's values as one sequence in row-major order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oip.datatypes import BYTES, DTYPES
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.shapes import Shape
from oip.tensor import bytes_array

_PIECE = 2**16
"""Values that are converted at once: other threads wait meanwhile."""


def array_from_contents(field: str, datatype: str, shape: Shape, values: Sequence[Any]) -> NDArray[Any]:
    """The array of values whose element type protobuf has checked; InvalidRequest when their number or range is off."""
    count = math.prod(shape)
    if len(values) != count:
        raise mismatch(f"{field} data", f"{count} values for shape {excerpt(shape)}", len(values))
    if datatype == BYTES:
        return bytes_array(list(values), shape)
    return _numbers(field, datatype, values).reshape(shape)


def _numbers(field: str, datatype: str, values: Sequence[Any]) -> NDArray[Any]:
    dtype = DTYPES[datatype]
    try:
        pieces = [np.fromiter(values[at : at + _PIECE], dtype) for at in range(0, len(values), _PIECE)]
        return np.concatenate(pieces) if pieces else np.empty(0, dtype)
    except OverflowError:
        limits = np.iinfo(dtype)
        given = next(value for value in values if not limits.min <= value <= limits.max)
        expected = f"{datatype} from {limits.min} to {limits.max}"
        raise mismatch(f"{field} data", expected, excerpt(given)) from None
