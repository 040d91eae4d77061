"""Tensors as raw bytes, the same over REST's binary extension and in gRPC's raw contents.

Row-major and little-endian; each element of a BYTES tensor follows its length in four bytes.
"""

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oip.datatypes import BYTES, DTYPES
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.shapes import Shape
from oip.tensor import Tensor, bytes_array

_LENGTH = struct.Struct("<I")


def array_from_raw(field: str, datatype: str, shape: Shape, raw: bytes | memoryview) -> NDArray[Any]:
    """A read-only view of `raw` where its alignment allows, a copy otherwise; for BYTES an array of new `bytes`.

    Takes a checked datatype and shape; raises InvalidRequest when `raw` is not exactly one tensor of them.
    """
    if datatype == BYTES:
        return bytes_array(_elements(field, shape, raw), shape)
    dtype = DTYPES[datatype]
    expected = math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise mismatch(field, f"{expected} bytes of {datatype} for shape {excerpt(shape)}", len(raw))
    if datatype == "BOOL":
        _check_booleans(field, raw)
    return np.require(np.ndarray(shape, dtype, buffer=raw), requirements=["ALIGNED"])


def raw_from_tensor(tensor: Tensor) -> bytes | memoryview:
    """The tensor's wire bytes, where they lie if that is in order.

    Raises TypeError when its array is not of its datatype.
    """
    check_dtype(tensor)
    if tensor.datatype == BYTES:
        return b"".join(part for element in tensor.array.flat for part in (_LENGTH.pack(len(element)), element))
    return np.ascontiguousarray(tensor.array).reshape(-1).view(np.uint8).data


def check_dtype(tensor: Tensor) -> None:
    """Raises TypeError when the array does not hold the datatype: a mistake of the server, never of a client."""
    if tensor.datatype not in DTYPES or tensor.array.dtype != DTYPES[tensor.datatype]:
        raise TypeError(f"{tensor.name}: {tensor.datatype} does not hold numpy's {tensor.array.dtype}")


def _check_booleans(field: str, raw: bytes | memoryview) -> None:
    if np.ndarray(len(raw), np.uint8, buffer=raw).max(initial=0) > 1:
        raise mismatch(field, "bytes of 0 or 1 for BOOL", "another value")


def _elements(field: str, shape: Shape, raw: bytes | memoryview) -> list[bytes]:
    count = math.prod(shape)
    if count * _LENGTH.size > len(raw):
        raise mismatch(field, f"at least {count * _LENGTH.size} bytes for shape {excerpt(shape)}", len(raw))
    elements = []
    start = 0
    for _ in range(count):
        end = _element_end(field, raw, start)
        elements.append(bytes(raw[start + _LENGTH.size : end]))
        start = end
    if start != len(raw):
        raise mismatch(field, f"{count} elements in {start} bytes", f"{len(raw) - start} bytes more")
    return elements


def _element_end(field: str, raw: bytes | memoryview, start: int) -> int:
    left = len(raw) - start - _LENGTH.size
    length = _LENGTH.unpack_from(raw, start)[0] if left >= 0 else 0
    if length > left:
        raise mismatch(field, f"an element's length and {length} bytes", f"{left + _LENGTH.size} bytes")
    return start + _LENGTH.size + length
