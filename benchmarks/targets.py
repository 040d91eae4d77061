"""What the servers are held to, and whether they held it."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks.cell import Cell
from benchmarks.contender import OURS, PLAIN, STRONG
from benchmarks.contenders.floor import SERIAL
from benchmarks.figures import Figure, Figures, cpu, p50, p95, rate, tail
from benchmarks.photos import SMALL
from benchmarks.plan import STEADY

HELD, MISSED, ERRORS, UNMEASURED = "held", "MISSED", "MISSED (errors)", "not measured"

MAIN = f"{OURS} bfloat16"
RATE_TO_PLAIN = {"float32": 1.5, "bfloat16": 2.8, "int8": 4.2}
P50_TO_PLAIN = {"bfloat16": 0.45, "int8": 0.35}
RATE_TO_FLOOR = 0.85
RATE_TO_STRONG = 1.0
OPEN_P95_MS, OPEN_P95_TO_PLAIN = 100, 0.15
TAIL_TO_FLOOR = 1.3
DECODE_RATIO = 0.45
START_RATIO = 1.6
MEMORY_MB = 500
BATCHER_MS = 0.5
OVERHEAD_CPU_MS = 6


@dataclass(frozen=True)
class Target:
    """`value` is None where it was not measured; `errors` counts requests that were not answered on the way to it."""

    name: str
    value: float | None
    bound: Literal["at least", "at most", "under"]
    limit: float
    errors: int = 0

    @property
    def verdict(self) -> str:
        if self.value is None:
            return UNMEASURED
        if self.errors:
            return ERRORS
        kept = {
            "at least": self.value >= self.limit,
            "at most": self.value <= self.limit,
            "under": self.value < self.limit,
        }
        return HELD if kept[self.bound] else MISSED


def targets(figures: Figures) -> list[Target]:
    """All of them, whether measured or not."""
    return [
        *_throughput(figures),
        *_latency(figures),
        *_cost(figures),
    ]


def _throughput(figures: Figures) -> Iterator[Target]:
    for precision, limit in RATE_TO_PLAIN.items():
        yield _ratio(figures, "rate at c=20", rate, (f"{OURS} {precision}", PLAIN), "c=20", "at least", limit)
    for precision in RATE_TO_PLAIN:
        ours, floor = f"{OURS} {precision}", figures.floor(precision, SMALL.name, "c=20")
        cells = figures.rounds(ours, SMALL.name, "c=20")
        name = f"rate at c=20, {ours} / floor {precision}"
        yield Target(name, figures.ratio(rate, cells, floor), "at least", RATE_TO_FLOOR, _errors(cells))
    yield _ratio(figures, "rate at c=20", rate, (MAIN, STRONG), "c=20", "at least", RATE_TO_STRONG)


def _latency(figures: Figures) -> Iterator[Target]:
    for precision, limit in P50_TO_PLAIN.items():
        yield _ratio(figures, "p50 at c=1", p50, (f"{OURS} {precision}", PLAIN), "c=1", "at most", limit)
    crowd = figures.rounds(MAIN, SMALL.name, "15/s")
    value = figures.value(p95, MAIN, SMALL.name, "15/s")
    yield Target(f"p95 at 15/s in ms, {MAIN}", value, "under", OPEN_P95_MS, _errors(crowd))
    yield _ratio(figures, "p95 at 15/s", p95, (MAIN, PLAIN), "15/s", "at most", OPEN_P95_TO_PLAIN)
    steady = figures.rounds(MAIN, SMALL.name, STEADY)
    floor = figures.floor("bfloat16", SMALL.name, STEADY)
    name = f"p99 / p50 at {STEADY}, {MAIN} / floor bfloat16"
    yield Target(name, figures.ratio(tail, steady, floor), "at most", TAIL_TO_FLOOR, _errors(steady))


def _cost(figures: Figures) -> Iterator[Target]:
    decode = figures.decode.ratio if figures.decode else None
    yield Target("12-megapixel decode and resize, fast / exact", decode, "at most", DECODE_RATIO)
    started = [each.ratio for each in figures.startings]
    name = "predictor's start to ready / import of kserve and openvino"
    yield Target(name, statistics.median(started) if started else None, "at most", START_RATIO)
    memory = figures.memory_bytes(MAIN)
    yield Target(f"PSS after load in MB, {MAIN}", memory / 1e6 if memory else None, "at most", MEMORY_MB)
    name = "batcher and queue on an idle server, added ms"
    yield Target(name, figures.batcher_ms, "at most", BATCHER_MS)
    for load in ("c=1", "c=20"):
        floor = figures.value(cpu, f"floor bfloat16 {SERIAL}", SMALL.name, load)
        total = figures.value(cpu, MAIN, SMALL.name, load)
        beyond = None if total is None or floor is None else total - floor
        yield Target(f"CPU-ms beyond decode and forward at {load}, {MAIN}", beyond, "at most", OVERHEAD_CPU_MS)


def _ratio(
    figures: Figures,
    what: str,
    figure: Figure,
    names: tuple[str, str],
    load: str,
    bound: Literal["at least", "at most"],
    limit: float,
) -> Target:
    one, other = (figures.rounds(name, SMALL.name, load) for name in names)
    return Target(f"{what}, {names[0]} / {names[1]}", figures.ratio(figure, one, other), bound, limit, _errors(one))


def _errors(cells: list[Cell]) -> int:
    return sum(each.errors for each in cells)
