"""What one contender did under one load in one round, and the medians over the rounds."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.load import Outcome, Sample
from scripts.errors import RunError

OK = 200
SHOWN = 200


@dataclass(frozen=True)
class Cell:
    """Percentiles are those of answered requests; `rate` is answers over the time from the start to the last of
    them: a load that ends finds requests under way, and cutting them off would punish batches.

    `cpu_ms` is the CPU time of the contender's processes for each answer, `generator_cpu_ms` that of the generator.
    `first_error` is status and beginning of the first answer that was none.
    """

    contender: str
    photos: str
    load: str
    round: int
    requests: int
    errors: int
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    generator_cpu_ms: float
    first_error: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        return self.contender, self.photos, self.load


@dataclass(frozen=True)
class Start:
    """From the first process' start until it was ready; memory is that of all processes after load."""

    contender: str
    round: int
    ready_seconds: float
    pss_bytes: int


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie, interpolated between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def cell(contender: str, photos: str, load: str, number: int, outcome: Outcome) -> Cell:
    """The figures of a load; raises RunError when nothing was answered."""
    answered = [sample for sample in outcome.samples if sample.status == OK]
    if not answered:
        raise RunError(f"{contender}, {load}, {photos}: none of {len(outcome.samples)} requests was answered")
    last_seconds = max(sample.due_seconds + sample.latency_seconds for sample in answered)
    p50, p95, p99 = (1000 * percentile([each.latency_seconds for each in answered], q) for q in (0.5, 0.95, 0.99))
    return Cell(
        contender=contender,
        photos=photos,
        load=load,
        round=number,
        requests=len(outcome.samples),
        errors=len(outcome.samples) - len(answered),
        rate=len(answered) / last_seconds,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        cpu_ms=1000 * outcome.server_cpu_seconds / len(answered),
        generator_cpu_ms=1000 * outcome.generator_cpu_seconds / len(answered),
        first_error=next((_error(sample) for sample in outcome.samples if sample.status != OK), ""),
    )


def _error(sample: Sample) -> str:
    return f"{sample.status} after {sample.latency_seconds:.3f} s: {sample.body[:SHOWN]}"


def medians(cells: Iterable[Cell]) -> list[Cell]:
    """One for each contender and load: every figure the median of the rounds, but requests and errors their sums."""
    ordered = sorted(cells, key=lambda each: each.place)
    return [_median(list(group)) for _, group in groupby(ordered, key=lambda each: each.place)]


def _median(rounds: Sequence[Cell]) -> Cell:
    def middle(figure: Callable[[Cell], float]) -> float:
        return statistics.median(map(figure, rounds))

    return Cell(
        *rounds[0].place,
        round=len(rounds),
        requests=sum(each.requests for each in rounds),
        errors=sum(each.errors for each in rounds),
        rate=middle(lambda each: each.rate),
        p50_ms=middle(lambda each: each.p50_ms),
        p95_ms=middle(lambda each: each.p95_ms),
        p99_ms=middle(lambda each: each.p99_ms),
        cpu_ms=middle(lambda each: each.cpu_ms),
        generator_cpu_ms=middle(lambda each: each.generator_cpu_ms),
        first_error=next((each.first_error for each in rounds if each.first_error), ""),
    )
