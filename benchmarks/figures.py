"""Everything that was measured, and how it is looked up."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.cell import Cell, Start, medians
from benchmarks.contender import FLOOR
from benchmarks.decode import Result
from benchmarks.starting import Starting

Figure = Callable[[Cell], float]


def rate(cell: Cell) -> float:
    return cell.rate


def p50(cell: Cell) -> float:
    return cell.p50_ms


def p95(cell: Cell) -> float:
    return cell.p95_ms


def cpu(cell: Cell) -> float:
    return cell.cpu_ms


def tail(cell: Cell) -> float:
    return cell.p99_ms / cell.p50_ms


@dataclass(frozen=True)
class Figures:
    """Of all rounds; `decode` is None where no large photo was asked for, `batcher_ms` without our server."""

    cells: Sequence[Cell]
    starts: Sequence[Start]
    startings: Sequence[Starting]
    decode: Result | None
    batcher_ms: float | None

    def rounds(self, contender: str, photos: str, load: str) -> list[Cell]:
        """A contender's cells, by round."""
        place = (contender, photos, load)
        return sorted((each for each in self.cells if each.place == place), key=lambda each: each.round)

    def value(self, figure: Figure, contender: str, photos: str, load: str) -> float | None:
        """Median over the rounds; None where it was not measured."""
        found = self.rounds(contender, photos, load)
        return statistics.median(map(figure, found)) if found else None

    def ratio(self, figure: Figure, ours: Sequence[Cell], theirs: Sequence[Cell]) -> float | None:
        """Median over the rounds of the ratio within a round, which leaves out how fast the machine was just then.

        None where one of them was not measured, or came out as 0, too small for its clock.
        """
        if not ours or len(ours) != len(theirs):
            return None
        pairs = [(figure(one), figure(other)) for one, other in zip(ours, theirs, strict=True)]
        return statistics.median(one / other for one, other in pairs) if all(other for _, other in pairs) else None

    def floor(self, precision: str, photos: str, load: str) -> list[Cell]:
        """The best way of the floor beside a load, by its median rate; empty where none took its turn there."""
        ways = [
            each
            for each in medians(self.cells)
            if each.contender.startswith(f"{FLOOR} {precision} ") and (each.photos, each.load) == (photos, load)
        ]
        return self.rounds(*max(ways, key=rate).place) if ways else []

    def memory_bytes(self, contender: str) -> float | None:
        """Median PSS after load."""
        found = [each.pss_bytes for each in self.starts if each.contender == contender]
        return statistics.median(found) if found else None

    def ready_seconds(self, contender: str) -> float | None:
        """Median time to ready."""
        found = [each.ready_seconds for each in self.starts if each.contender == contender]
        return statistics.median(found) if found else None

    def errors(self) -> int:
        return sum(each.errors for each in self.cells)
