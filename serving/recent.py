"""Label values that come and go over a server's life, of which only the last few keep their series."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 8
"""A roll-out has two at a time."""


class Recent(Generic[T]):
    """The last values that were seen; for a new one too many, the one that was seen longest ago is forgotten."""

    def __init__(self, forget: Callable[[T], None], most: int = MOST) -> None:
        self._forget = forget
        self._most = most
        self._values: OrderedDict[T, None] = OrderedDict()

    def is_new(self, value: T) -> bool:
        """Whether it was not among them; it is from now on."""
        new = value not in self._values
        self._values[value] = None
        self._values.move_to_end(value)
        if len(self._values) > self._most:
            self._forget(self._values.popitem(last=False)[0])
        return new
