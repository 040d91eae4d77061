"""Labels: one line each, in the order of the classes. Two classes may share a label (ImageNet has two cranes)."""

import unicodedata
from collections.abc import Sequence

from bundle.errors import BundleError, mismatch

_FORBIDDEN = {"Cc", "Zl", "Zp"}  # control characters and the two line separators of Unicode


def parse(text: str) -> tuple[str, ...]:
    return tuple(text.removesuffix("\n").split("\n"))


def check(labels: Sequence[str], classes: int, where: str) -> None:
    """Refuse labels that are not `classes` many, or of which one is empty or holds a newline or control character."""
    if len(labels) != classes:
        raise mismatch(where, f"{classes} labels, one a class", len(labels))
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise BundleError(f"{where}: line {number} is empty")
        if any(unicodedata.category(character) in _FORBIDDEN for character in label):
            raise mismatch(where, f"no control characters in line {number}", repr(label))
