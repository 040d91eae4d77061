"""Tensors as plain values: `data` of JSON, nested or flat in row-major order, and gRPC's typed contents."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oip.datatypes import BYTES, DTYPES
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.raw import check_dtype
from oip.shapes import Shape
from oip.tensor import Tensor, bytes_array


class _Kind(NamedTuple):
    types: frozenset[type]
    words: str


_KINDS = {
    "b": _Kind(frozenset({bool}), "true or false"),
    "i": _Kind(frozenset({int}), "integers"),
    "u": _Kind(frozenset({int}), "integers"),
    "f": _Kind(frozenset({int, float}), "numbers"),
    "O": _Kind(frozenset({str}), "strings"),
}
"""What JSON must hold for each kind of numpy type; a bool is no integer, and an integer may stand for a float."""


def array_from_json(field: str, datatype: str, shape: Shape, data: object) -> NDArray[Any]:
    """An array of a checked datatype and shape; raises InvalidRequest unless `data` is exactly one tensor of them.

    Strings become `bytes` in UTF-8.
    """
    if not isinstance(data, list):
        raise mismatch(f"{field} data", "a list", excerpt(data))
    nested = bool(data) and isinstance(data[0], list)
    return array_from_leaves(field, datatype, shape, flattened(field, shape, data) if nested else data)


def flattened(field: str, shape: Shape, data: list[Any]) -> list[Any]:
    """The leaves, row-major, of lists that are nested exactly as the shape tells."""
    level: list[Any] = [data]
    for depth, size in enumerate(shape):
        if not {list}.issuperset(map(type, level)):
            raise mismatch(f"{field} data", f"lists nested as in shape {excerpt(shape)}", f"a value at depth {depth}")
        if not {size}.issuperset(map(len, level)):
            other = next(len(part) for part in level if len(part) != size)
            raise mismatch(f"{field} data", f"lists of {size} at depth {depth}, as in shape {excerpt(shape)}", other)
        level = list(chain.from_iterable(level))
    return level


def array_from_leaves(field: str, datatype: str, shape: Shape, leaves: list[Any]) -> NDArray[Any]:
    """The array of JSON's flat values; InvalidRequest when their number, type or range does not fit."""
    if datatype == "FP16":
        raise InvalidRequest(f"{field}: FP16 has no JSON form, send it as binary data")
    _check_count(field, shape, leaves)
    if datatype == "UINT8" and (octets := _octets(leaves)) is not None:
        return octets.reshape(shape)
    kind = _KINDS[DTYPES[datatype].kind]
    if not kind.types.issuperset(map(type, leaves)):
        stranger = next(leaf for leaf in leaves if type(leaf) not in kind.types)
        raise mismatch(f"{field} data", f"{kind.words} for {datatype}", excerpt(stranger))
    return _converted(field, datatype, leaves).reshape(shape)


def array_from_contents(field: str, datatype: str, shape: Shape, values: Sequence[Any]) -> NDArray[Any]:
    """The array of gRPC's typed contents, whose element type protobuf has checked already."""
    _check_count(field, shape, values)
    if datatype == BYTES:
        return bytes_array(list(values), shape)
    return _numbers(field, datatype, values).reshape(shape)


def json_from_tensor(field: str, tensor: Tensor) -> NDArray[Any] | list[str]:
    """Flat `data` for orjson's numpy option; raises InvalidRequest for what JSON cannot say: ask for binary data then.

    FP32 is written with the fewest digits that read back to the same FP32.
    """
    check_dtype(tensor)
    flat = np.ascontiguousarray(tensor.array).reshape(-1)
    if tensor.datatype == BYTES:
        return _texts(field, flat)
    if tensor.datatype == "FP16":
        raise InvalidRequest(f"{field}: FP16 has no JSON form, ask for binary data")
    if not np.isfinite(flat).all():
        raise InvalidRequest(f"{field}: NaN and infinity have no JSON form, ask for binary data")
    return flat


def _check_count(field: str, shape: Shape, values: Sequence[Any]) -> None:
    count = math.prod(shape)
    if len(values) != count:
        raise mismatch(f"{field} data", f"{count} values for shape {excerpt(shape)}", len(values))


def _converted(field: str, datatype: str, leaves: list[Any]) -> NDArray[Any]:
    if datatype == BYTES:
        return bytes_array([text.encode() for text in leaves])
    if DTYPES[datatype].kind == "f":
        return _finite(field, datatype, leaves)
    return _numbers(field, datatype, leaves)


def _octets(leaves: list[Any]) -> NDArray[np.uint8] | None:
    """UINT8 the fast way, since pictures are most of what comes; None unless every leaf is an integer from 0 to 255."""
    try:
        octets = np.frombuffer(bytearray(leaves), np.uint8)
    except (TypeError, ValueError):
        return None
    low = np.flatnonzero(octets <= 1)  # bytearray takes false and true for 0 and 1
    suspects = leaves if len(low) > len(leaves) // 8 else [leaves[index] for index in low.tolist()]
    return octets if {int}.issuperset(map(type, suspects)) else None


def _numbers(field: str, datatype: str, values: Sequence[Any]) -> NDArray[Any]:
    dtype = DTYPES[datatype]
    try:
        return np.fromiter(values, dtype, count=len(values))
    except OverflowError:
        limits = np.iinfo(dtype)
        given = next(value for value in values if not limits.min <= value <= limits.max)
        expected = f"{datatype} from {limits.min} to {limits.max}"
        raise mismatch(f"{field} data", expected, excerpt(given)) from None


def _finite(field: str, datatype: str, leaves: list[Any]) -> NDArray[Any]:
    """JSON writes any double, which a narrower float would turn into infinity."""
    wide = np.fromiter(leaves, np.float64, count=len(leaves))
    with np.errstate(over="ignore"):
        narrow = wide.astype(DTYPES[datatype])
    if not np.isfinite(narrow).all():
        given = wide[~np.isfinite(narrow)][0].item()
        raise mismatch(f"{field} data", f"numbers in the range of {datatype}", excerpt(given))
    return narrow


def _texts(field: str, elements: NDArray[np.object_]) -> list[str]:
    try:
        return [element.decode() for element in elements]
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field}: bytes that are not UTF-8 have no JSON form, ask for binary data") from None
