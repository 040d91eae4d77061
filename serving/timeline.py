"""Work that goes on side by side, told as stages that do not overlap: each moment of it counts once."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

Span = tuple[float, float]
"""From and until, in monotonic seconds."""


class Timeline:
    """Spans of several kinds of work, noted by any thread; a kind goes before those named after it."""

    def __init__(self, *names: str) -> None:
        self._spans: Mapping[str, list[Span]] = {name: [] for name in names}

    def add(self, name: str, started: float, ended: float) -> None:
        self._spans[name].append((started, ended))

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add the time spent inside."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.add(name, started, time.monotonic())

    def pieces(self) -> Iterator[tuple[str, float, float]]:
        """Each piece of work by itself: its kind, from and until."""
        for name, spans in self._spans.items():
            yield from ((name, *span) for span in tuple(spans))

    def shares_ms(self) -> dict[str, float]:
        """For each kind of work that there was, the milliseconds in which none of an earlier kind went on."""
        shares: dict[str, float] = {}
        seen: list[Span] = []
        for name, spans in self._spans.items():
            before = _covered(seen)
            seen += spans
            if spans:
                shares[name] = (_covered(seen) - before) * 1000
        return shares


def _covered(spans: Iterable[Span]) -> float:
    """Seconds that lie in at least one span."""
    total, until = 0.0, float("-inf")
    for started, ended in sorted(spans):
        total += max(0.0, ended - max(started, until))
        until = max(until, ended)
    return total
