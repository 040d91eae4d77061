"""A tensor's `data` in JSON, nested or flat in row-major order: from its text to an array without a list between.

Takes text that `oip.document` has decoded as `Json`: its grammar holds.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from msgspec.json import Decoder
from numpy.typing import NDArray

from oip.datatypes import BYTES, DTYPES
from oip.digits import few_digits
from oip.document import Json, decode_json
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt, shortened
from oip.nesting import SPACE, count_values, flat_values, is_nested, outline, with_rows, without_contents
from oip.raw import check_dtype
from oip.shapes import STRINGS_LIMIT, Shape
from oip.tensor import Tensor, bytes_array

_STRINGS = Decoder(list[str])
_NESTED = re.compile(rb"\[[ \t\r\n]*\[")
_PIECE_BYTES = 1 << 16
_SHOWN_BYTES = 64
_MINUS_ZERO = re.compile(rb"-0(?=,|$)")
_MOST_DIGITS = len(str(-(2**63)))
"""Of a value that fits any datatype; Python reads no more than some thousand."""


class _Leaf(NamedTuple):
    """The values of one kind of numpy type: all characters of their text, and what to call them."""

    characters: bytes
    words: str


_LEAVES = {
    "b": _Leaf(b"truefals", "true or false"),
    "i": _Leaf(b"-0123456789", "integers"),
    "u": _Leaf(b"-0123456789", "integers"),
    "f": _Leaf(b"-+.eE0123456789", "numbers"),
    "O": _Leaf(b'"', "strings"),
}
"""Grammar leaves no other value of these characters; a bool is no integer, an integer may stand for a float."""


def array_from_json(field: str, datatype: str, shape: Shape, data: Json | bytes, *, flat: bool = True) -> NDArray[Any]:
    """An array of a checked datatype and shape; raises InvalidRequest unless `data` is exactly one tensor of them.

    Strings become `bytes` in UTF-8. `flat` allows one list of all values in place of nested ones; without it, a
    first dimension of -1 stands for as many rows as there are.
    """
    text = memoryview(data)
    if not text or text[0] != ord("["):
        raise mismatch(f"{field} data", "a list", _shown(bytes(text[:_SHOWN_BYTES])))
    if datatype == "FP16":
        raise InvalidRequest(f"{field}: FP16 has no JSON form, send it as binary data")
    if datatype == BYTES:
        return _strings(field, shape, text, flat=flat)
    return _numbers(field, datatype, shape, text, flat=flat)


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


def _numbers(field: str, datatype: str, shape: Shape, text: memoryview, *, flat: bool) -> NDArray[Any]:
    """The array of values that are no strings."""
    values = flat_values(text, _LEAVES[DTYPES[datatype].kind].characters) if flat else None
    if values is None:
        compact = bytes(text).translate(None, SPACE)
        shape = _nested_shape(field, datatype, shape, compact)
        values = compact.translate(None, b"[]," if 0 in shape else b"[]")
    pieces = [_piece(field, datatype, piece) for piece in _pieces(values)]
    array = np.concatenate(pieces) if pieces else np.empty(0, DTYPES[datatype])
    _check_count(field, shape, len(array))
    return array.reshape(shape)


def _pieces(values: bytes) -> Iterator[bytes]:
    """The values some thousand at a time, so that what is made of them stays in the processor's cache."""
    start = 0
    while start < len(values):
        comma = values.find(b",", start + _PIECE_BYTES)
        end = len(values) if comma < 0 else comma
        yield values[start:end]
        start = end + 1


def _strings(field: str, shape: Shape, text: memoryview, *, flat: bool) -> NDArray[np.object_]:
    """Photos come as long strings in one list: only others are looked at twice."""
    if not flat or _NESTED.match(text):
        return _nested_strings(field, shape, bytes(text))
    raw = bytes(text)
    quotes = _count_quotes(raw)
    if quotes > 2 * max(math.prod(shape), STRINGS_LIMIT):  # seen before millions of strings are made
        _check_count(field, shape, quotes // 2)
    strings = decode_json(_STRINGS, raw, f"{field} data")
    _check_count(field, shape, len(strings))
    return _as_bytes(strings).reshape(shape)


def _count_quotes(text: bytes) -> int:
    """Those around strings, not those inside."""
    if b"\\" not in text:
        return text.count(b'"')
    unescaped = text.replace(rb"\\", b"")
    return unescaped.count(b'"') - unescaped.count(rb"\"")


def _nested_strings(field: str, shape: Shape, text: bytes) -> NDArray[np.object_]:
    emptied, inside = without_contents(text)
    shape = _nested_shape(field, BYTES, shape, emptied)
    if 0 in shape:
        return bytes_array([], shape)
    characters = np.frombuffer(text, np.uint8)
    brackets = ((characters == ord("[")) | (characters == ord("]"))) & ~inside
    strings = decode_json(_STRINGS, b"[" + characters[~brackets].tobytes() + b"]", f"{field} data")
    return _as_bytes(strings).reshape(shape)


def _as_bytes(strings: list[str]) -> NDArray[np.object_]:
    """Takes the strings out of their list, so that not all of them are held twice."""
    array = np.empty(len(strings), object)
    while strings:
        last = strings.pop()
        array[len(strings)] = last.encode()
    return array


def _nested_shape(field: str, datatype: str, shape: Shape, text: bytes) -> Shape:
    """The shape, of a text without space and strings; raises InvalidRequest when its lists are nested otherwise."""
    leaf = _LEAVES[DTYPES[datatype].kind]
    outlined = outline(text, leaf.characters)
    shape = with_rows(outlined, shape)
    if is_nested(outlined, shape):
        return shape
    if outlined.translate(None, b"[],!"):
        raise mismatch(f"{field} data", f"{leaf.words} for {datatype}", _first_stranger(text, leaf))
    _check_count(field, shape, count_values(outlined))
    raise mismatch(f"{field} data", f"lists nested as in shape {excerpt(shape)}", "as many values nested otherwise")


def _check_count(field: str, shape: Shape, given: int) -> None:
    if given != (count := math.prod(shape)):
        raise mismatch(f"{field} data", f"{count} values for shape {excerpt(shape)}", given)


def _first_stranger(text: bytes, leaf: _Leaf) -> str:
    """The first value with a character that such values do not have."""
    found = re.search(b"[^][,%s]" % re.escape(leaf.characters), text)
    at = found.start() if found else 0
    start = max(text.rfind(bracket, 0, at) for bracket in (b"[", b",")) + 1
    return _shown(text[start : start + _SHOWN_BYTES])


def _shown(text: bytes) -> str:
    """A JSON value as an error may show it, from where its text begins."""
    match text[:1]:
        case b"{":
            return "an object"
        case b'"':
            return "a string"
        case _:
            return shortened(re.split(rb"[],]", text, maxsplit=1)[0].decode())


def _piece(field: str, datatype: str, text: bytes) -> NDArray[Any]:
    """The array of values with commas between them."""
    if datatype == "BOOL":
        digits = text.replace(b"true", b"1").replace(b"false", b"0")
        return np.fromstring(digits, np.uint8, _count(text), sep=",").view(np.bool_)
    if DTYPES[datatype].kind == "f":
        return _floats(field, datatype, text)
    return _integers(field, datatype, text)


def _count(text: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord(","))) + 1


def _integers(field: str, datatype: str, text: bytes) -> NDArray[Any]:
    few = few_digits(text)
    if few is None:
        return _long_integers(field, datatype, text)
    if few.max() > np.iinfo(DTYPES[datatype]).max:
        _check_range(field, datatype, text)
    return few.astype(DTYPES[datatype])


def _long_integers(field: str, datatype: str, text: bytes) -> NDArray[Any]:
    """Read as 64 bits, where numpy stops at the limits: what reaches them is judged by its digits."""
    dtype, limits = DTYPES[datatype], np.iinfo(DTYPES[datatype])
    text = _MINUS_ZERO.sub(b"0", text) if b"-0" in text else text
    unsigned = dtype.kind == "u" and b"-" not in text
    wide = np.fromstring(text, np.uint64 if unsigned else np.int64, _count(text), sep=",")
    widest = np.iinfo(wide.dtype)
    low = not unsigned and wide.min() <= max(limits.min - 1, widest.min)
    if low or wide.max() >= min(limits.max + 1, widest.max):
        _check_range(field, datatype, text)
    return wide.astype(dtype)


def _check_range(field: str, datatype: str, text: bytes) -> None:
    limits = np.iinfo(DTYPES[datatype])
    for digits in text.split(b","):
        if len(digits) > _MOST_DIGITS or not limits.min <= int(digits) <= limits.max:
            given = shortened(digits.decode())
            raise mismatch(f"{field} data", f"{datatype} from {limits.min} to {limits.max}", given)


def _floats(field: str, datatype: str, text: bytes) -> NDArray[Any]:
    """JSON writes any number, which a float may turn into infinity."""
    with np.errstate(over="ignore"):
        numbers = np.fromstring(text, np.float64, _count(text), sep=",").astype(DTYPES[datatype])
    if infinite := np.flatnonzero(np.isinf(numbers)).tolist():
        given = shortened(text.split(b",")[infinite[0]].decode())
        raise mismatch(f"{field} data", f"numbers in the range of {datatype}", given)
    return numbers


def _texts(field: str, elements: NDArray[np.object_]) -> list[str]:
    try:
        return [element.decode() for element in elements]
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field}: bytes that are not UTF-8 have no JSON form, ask for binary data") from None
