"""Integers of few digits, as pictures have them, read from their text all at once."""

import numpy as np
from numpy.typing import NDArray

LONGEST = 3
"""Digits of one integer."""

_COMMA = 16
_CODES = bytes.maketrans(b"0123456789,", bytes([*range(10), _COMMA]))


def few_digits(text: bytes) -> NDArray[np.uint16] | None:
    """The integers of a text with commas between them; None when one has a sign or more than `LONGEST` digits.

    Takes at least one integer in JSON's grammar, which knows no leading zeros and leaves nothing out.
    """
    if b"-" in text:
        return None
    codes = np.frombuffer(b"".join((b",,", text, b",")).translate(_CODES), np.uint8)
    is_comma = codes == _COMMA
    ends = np.flatnonzero(is_comma[LONGEST:])
    if ends[0] >= LONGEST or np.diff(ends).max(initial=0) > LONGEST + 1:
        return None
    digits = codes & (_COMMA - 1)  # a comma counts nothing
    ones, tens, hundreds = digits[2:-1], digits[1:-2], digits[:-3] * ~is_comma[1:-2]
    numbers: NDArray[np.uint16] = hundreds[ends].astype(np.uint16) * np.uint16(100) + (tens * np.uint8(10) + ones)[ends]
    return numbers
