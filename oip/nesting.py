"""How lists are nested in JSON text, seen from its brackets and commas alone; no value is read.

Takes text whose grammar has been checked. An outline keeps the brackets and commas of a text, with `!` in empty lists.
"""

import math

import numpy as np
from numpy.typing import NDArray

from oip.shapes import Shape

SPACE = b" \t\r\n"


def flat_values(text: memoryview, leaf: bytes) -> bytes | None:
    """What stands in the brackets of one list, without space, when its values have no characters but `leaf`."""
    values = bytes(text[1:-1])
    others = values.translate(None, leaf + b",")
    if others.strip(SPACE):
        return None
    return values.translate(None, SPACE) if others else values


def outline(text: bytes, leaf: bytes) -> bytes:
    """The outline of a text without space, whose values may have the characters `leaf`.

    What else stands in the text stays in the outline, which is then no outline of any shape.
    """
    return text.replace(b"[]", b"[!]").translate(None, leaf)


def is_nested(outlined: bytes, shape: Shape) -> bool:
    """Whether it outlines lists that are nested exactly as the shape tells; behind a 0 there are none."""
    shown = shape[: shape.index(0) + 1] if 0 in shape else shape
    if not shown or math.prod(size or 1 for size in shown) > len(outlined):
        return False
    inner = b""
    for size in reversed(shown):
        inner = _list_of(inner, size)
    return inner == outlined


def count_values(outlined: bytes) -> int:
    """How many values the lists of an outline hold in all."""
    return outlined.count(b",") + 1 - outlined.count(b"!")


def with_rows(outlined: bytes, shape: Shape) -> Shape:
    """The shape with as many rows as the values of an outline fill, when its first dimension is -1."""
    if shape[:1] != (-1,):
        return shape
    row = math.prod(shape[1:]) or 1
    return (-(-count_values(outlined) // row), *shape[1:])


def without_contents(text: bytes) -> tuple[bytes, NDArray[np.bool_]]:
    """The text with all strings emptied, and which of its bytes belong to strings (their closing quote does not)."""
    unescaped = text.replace(rb"\\", b"__").replace(rb"\"", b"__")
    characters = np.frombuffer(unescaped, np.uint8)
    quotes = characters == ord('"')
    inside = np.logical_xor.accumulate(quotes)
    return characters[~inside | quotes].tobytes().translate(None, SPACE), inside


def _list_of(inner: bytes, size: int) -> bytes:
    return b"[" + ((inner + b",") * size)[:-1] + b"]" if size else b"[!]"
