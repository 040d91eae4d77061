"""What an image costs the engine, by precision, images at once and cores: `python -m benchmarks.engine BUNDLE`.

The engine alone, without a server: every case in turn, round by round; times are medians. Only ratios compare between
machines.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contender import PRECISIONS
from bundle.reading import Bundle, read
from predictor.engine import Engine, graph_of
from predictor.openvino_engine import OpenVinoEngine, native_bfloat16
from serving.cores import available_cores

BATCHES = (1, 2, 4, 8, 16)
ROUNDS = 15
WARM_UP_RUNS = 3

HEAD = ("| precision | cores | images at once | ms | ms an image | images/s |", "|---|--:|--:|--:|--:|--:|")


@dataclass(frozen=True)
class Case:
    precision: str
    threads: int
    images: int
    engine: Engine


def cases(bundle: Bundle, threads: Sequence[int]) -> Iterator[Case]:
    """Everything that the bundle and this machine can compute."""
    for precision in PRECISIONS:
        if graph_of(precision) not in bundle.record.graphs or (precision == "bfloat16" and not native_bfloat16()):
            continue
        for count in threads:
            engine = OpenVinoEngine(bundle, precision, BATCHES, count, streams=1)
            yield from (Case(precision, count, images, engine) for images in BATCHES)


def medians_ms(measured: Sequence[Case], crop: int, rounds: int, clock: Callable[[], float]) -> list[float]:
    """One for each case; `clock` gives seconds."""
    batches = {images: np.zeros((images, crop, crop, 3), np.uint8) for images in BATCHES}
    for case in measured:
        for _ in range(WARM_UP_RUNS):
            case.engine.run(batches[case.images])
    seconds: list[list[float]] = [[] for _ in measured]
    for _ in range(rounds):
        for case, times in zip(measured, seconds, strict=True):
            started = clock()
            case.engine.run(batches[case.images])
            times.append(clock() - started)
    return [1000 * statistics.median(times) for times in seconds]


def table(measured: Sequence[Case], medians: Sequence[float]) -> Iterator[str]:
    """Lines of Markdown."""
    yield from HEAD
    for case, ms in zip(measured, medians, strict=True):
        each = ms / case.images
        yield f"| {case.precision} | {case.threads} | {case.images} | {ms:.1f} | {each:.2f} | {1000 / each:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    bundle, cores = read(options.bundle), available_cores()
    measured = list(cases(bundle, sorted({1, cores})))
    medians = medians_ms(measured, bundle.record.preprocessing.crop, options.rounds, time.perf_counter)
    print("\n".join(table(measured, medians)))


if __name__ == "__main__":
    main()
