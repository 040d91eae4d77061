"""Any number of images over an engine that runs fixed sizes: as many runs as are cheapest by measurement."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from oip import contract
from predictor.engine import Engine

logger = logging.getLogger(__name__)

Cover = tuple[int, ...]
"""Steps that together hold a number of images, the largest first."""

_MOST_PASSES = 12
"""Over all steps at warm-up. A machine that is busy while a server starts must not decide how it runs from then on."""

_BETTER = 0.95
"""A pass that makes no step so much quicker was the last one; so was one after which the costs are consistent."""

T = TypeVar("T", bound=np.generic)


class Ladder:
    """The steps of an engine for squares of `crop` pixels, and what each costs; `warm_up` comes before all else.

    The rule: `n` images are run as those steps that hold at least `n` and together took the least time at warm-up;
    of equal ones the fewest, then the smallest. So images are split, and the last run padded, where that is cheaper.
    """

    def __init__(self, engine: Engine, crop: int, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._engine = engine
        self._shape = (crop, crop, 3)
        self._clock_ns = clock_ns
        self._covers: list[Cover] = []
        self.streams = engine.streams
        self.top = engine.steps[-1]
        self.limit = max(self.top, contract.MAX_IMAGES)

    def warm_up(self) -> None:
        """Run and measure every step, on as many threads as the engine has streams; takes as long as that takes."""
        costs_ns = plausible(self._measured())
        self._covers = cheapest_covers(costs_ns, self.limit)
        milliseconds = ", ".join(f"{step} in {cost / 1e6:.1f} ms" for step, cost in costs_ns.items())
        logger.info("warm; images: %s", milliseconds)

    def cover(self, images: int) -> Cover:
        """The steps for so many images, 1 to `limit`; the first alone is the cheapest for as many as it holds."""
        return self._covers[images]

    def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `[N, classes]` for N of 1 to `limit`; a run that is full takes the caller's memory as it is."""
        rows, start = [], 0
        for step in self.cover(len(images)):
            rows.append(self._run(images[start : start + step], step))
            start += step
        return joined(rows)

    def _run(self, images: NDArray[np.uint8], step: int) -> NDArray[np.float32]:
        missing = step - len(images)
        if not missing:
            return self._engine.run(images)
        return self._engine.run(np.concatenate((images, self._blank(missing))))[: len(images)]

    def _measured(self) -> dict[int, int]:
        """The quickest run of each step, over passes through all of them; the first pays what is paid once."""
        with ThreadPoolExecutor(self.streams, "warm-up") as threads:
            self._pass(threads)
            best = self._pass(threads)
            for _ in range(_MOST_PASSES - 2):
                if _consistent(best):
                    break
                latest = self._pass(threads)
                settled = all(latest[step] > _BETTER * best[step] for step in best)
                best = {step: min(best[step], latest[step]) for step in best}
                if settled:
                    break
            return best

    def _pass(self, threads: ThreadPoolExecutor) -> dict[int, int]:
        batches = {step: [self._blank(step)] * self.streams for step in self._engine.steps}
        return {step: min(threads.map(self._timed, batch)) for step, batch in batches.items()}

    def _timed(self, batch: NDArray[np.uint8]) -> int:
        started = self._clock_ns()
        self._engine.run(batch)
        return self._clock_ns() - started

    def _blank(self, images: int) -> NDArray[np.uint8]:
        return np.zeros((images, *self._shape), np.uint8)


def _consistent(costs: Mapping[int, int]) -> bool:
    """More images cost more in all and hardly more each, as on a machine that did nothing else."""
    pairs = zip(costs.items(), list(costs.items())[1:], strict=False)
    return all(cost < more and _BETTER * more * step < cost * larger for (step, cost), (larger, more) in pairs)


def plausible(costs: Mapping[int, int]) -> dict[int, int]:
    """The costs, none above that of a larger step: a run that took longer than one of more images was disturbed."""
    return {step: min(cost for larger, cost in costs.items() if larger >= step) for step in costs}


def cheapest_covers(costs: Mapping[int, int], most: int) -> list[Cover]:
    """The rule of `Ladder` for each of 0 to `most` images, given what each step costs."""
    best: list[tuple[int, int, Cover]] = [(0, 0, ())]
    for images in range(1, most + 1):
        best.append(min(_extended(best[max(0, images - step)], step, cost) for step, cost in costs.items()))
    return [cover for _, _, cover in best]


def _extended(best: tuple[int, int, Cover], step: int, cost: int) -> tuple[int, int, Cover]:
    total, count, cover = best
    return total + cost, count + 1, tuple(sorted((*cover, step), reverse=True))


def joined(parts: Sequence[NDArray[T]]) -> NDArray[T]:
    """The parts one after another; a single one as it is, without a copy."""
    together: NDArray[Any] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return together
