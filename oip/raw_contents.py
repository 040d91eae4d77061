"""Raw contents of a message apart from the rest of it: protobuf would copy them on every way in and out.

On the wire they are fields like any other (https://protobuf.dev/programming-guides/encoding/): a tag, a length, bytes.
"""

from collections.abc import Iterable
from typing import NamedTuple

Raw = bytes | memoryview

FIELDS_LIMIT = 1024
"""Fields of a message that are looked at here; protobuf reads one that has more."""

_LENGTH_DELIMITED = 2
_MORE, _SEVEN_BITS = 0x80, 0x7F
_LENGTH_BYTES = 5
"""Of seven bits each: more than any message may have."""


class _Field(NamedTuple):
    """Where a field starts, where its value begins, and where that ends."""

    start: int
    begin: int
    end: int


def taken_out(content: bytes, field: int) -> tuple[bytes, list[memoryview]]:
    """A message without its field of that number, 1 to 15, and a view of each of the values that it has there.

    What is not simply a row of length-delimited fields stays as it is, without views.
    """
    view = memoryview(content)
    found = [each for each in _fields(content) if content[each.start] == _tag(field)]
    if not found:
        return content, []
    starts, ends = [*(each.start for each in found), len(content)], [0, *(each.end for each in found)]
    rest = b"".join(view[end:start] for end, start in zip(ends, starts, strict=True))
    return rest, [view[each.begin : each.end] for each in found]


def put_in(message: bytes, field: int, raws: Iterable[Raw]) -> bytes:
    """The message with such values in its field of that number, 1 to 15."""
    parts: list[Raw] = [message]
    for raw in raws:
        parts += (bytes((_tag(field),)), _varint(len(raw)), raw)
    return b"".join(parts)


def _tag(field: int) -> int:
    return field << 3 | _LENGTH_DELIMITED


def _fields(content: bytes) -> list[_Field]:
    """In their order; none when something else is among them."""
    fields: list[_Field] = []
    start = 0
    while start < len(content):
        length, begin = _read_varint(content, start + 1)
        is_plain = content[start] < _MORE and content[start] % 8 == _LENGTH_DELIMITED
        if not is_plain or begin + length > len(content) or len(fields) == FIELDS_LIMIT:
            return []
        fields.append(_Field(start, begin, begin + length))
        start = begin + length
    return fields


def _read_varint(content: bytes, start: int) -> tuple[int, int]:
    """The number and where it ends; beyond the content when it does not end in time."""
    number = 0
    for place, byte in enumerate(content[start : start + _LENGTH_BYTES]):
        number |= (byte & _SEVEN_BITS) << 7 * place
        if byte < _MORE:
            return number, start + place + 1
    return 0, len(content) + 1


def _varint(number: int) -> bytes:
    low, high = number & _SEVEN_BITS, number >> 7
    return bytes((low | _MORE,)) + _varint(high) if high else bytes((low,))
