"""(c) The floor: decode and forward in one process without a server, in three ways.

`python -m benchmarks.contenders.floor ORDER OUTCOME`, both files of JSON. `serial` and `batch 8` do one thing after the
other; `overlapped` decodes in a second thread, with `IN_FLIGHT` photos under way, each counted from the moment at which
the one before it made room: what that many clients of a closed loop would see.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import process_tree
from benchmarks.load import Outcome, Sample, outcome_from
from predictor.engine import Precision

if TYPE_CHECKING:
    from benchmarks.contenders.compiled import Compiled  # which needs openvino

SERIAL, BATCH, OVERLAPPED = MODES = ("serial", "batch 8", "overlapped")
BATCH_SIZE = 8
IN_FLIGHT = 4
OK = 200


@dataclass(frozen=True)
class FloorOrder:
    bundle: str
    precision: Precision
    mode: str
    photos: list[str]
    seconds: float
    warm_up_seconds: float


@dataclass(frozen=True)
class FloorOutcome:
    """How long it took to load and compile the graph; the memory is this process' own, at the end."""

    load: Outcome
    ready_seconds: float
    pss_bytes: int


Turns = Iterator[list[Sample]]
"""What was answered, a turn at a time, without end."""


def serial(compiled: "Compiled", photos: Sequence[bytes], now: Callable[[], float]) -> Turns:
    return _one_after_the_other(compiled, photos, now, 1)


def batch(compiled: "Compiled", photos: Sequence[bytes], now: Callable[[], float]) -> Turns:
    return _one_after_the_other(compiled, photos, now, BATCH_SIZE)


def _one_after_the_other(compiled: "Compiled", photos: Sequence[bytes], now: Callable[[], float], size: int) -> Turns:
    first = 0
    while True:
        due, indices = now(), [(first + offset) % len(photos) for offset in range(size)]
        images = np.stack([compiled.decode(photos[index]) for index in indices])
        answers = [json.dumps(compiled.answer(row)) for row in compiled.probabilities(images)]
        yield [Sample(index, due, now() - due, OK, body) for index, body in zip(indices, answers, strict=True)]
        first += size


def overlapped(compiled: "Compiled", photos: Sequence[bytes], now: Callable[[], float]) -> Turns:
    room, decoded = Semaphore(IN_FLIGHT), SimpleQueue[tuple[int, float, np.ndarray]]()

    def decode() -> None:
        for index in cycle(range(len(photos))):
            room.acquire()
            due = now()
            decoded.put((index, due, compiled.decode(photos[index])))

    Thread(target=decode, daemon=True).start()
    while True:
        index, due, image = decoded.get()
        body = json.dumps(compiled.answer(compiled.probabilities(image[None])[0]))
        sample = Sample(index, due, now() - due, OK, body)
        room.release()
        yield [sample]


WAYS = {SERIAL: serial, BATCH: batch, OVERLAPPED: overlapped}


def run(order: FloorOrder) -> FloorOutcome:
    """Warm up, then work for the time that was ordered."""
    from benchmarks.contenders.compiled import Compiled  # only the process that works needs openvino

    begun = time.monotonic()
    compiled = Compiled(Path(order.bundle), order.precision, BATCH_SIZE if order.mode == BATCH else 1)
    ready_seconds = time.monotonic() - begun
    photos = [Path(path).read_bytes() for path in order.photos]
    turns = WAYS[order.mode](compiled, photos, time.monotonic)
    _until(turns, time.monotonic() + order.warm_up_seconds)
    started, cpu = time.monotonic(), time.process_time()
    samples = _until(turns, started + order.seconds)
    cpu, seconds = time.process_time() - cpu, time.monotonic() - started
    shifted = [replace(sample, due_seconds=sample.due_seconds - started) for sample in samples]
    return FloorOutcome(Outcome(shifted, seconds, cpu, 0), ready_seconds, process_tree.pss_bytes([os.getpid()]))


def _until(turns: Turns, end: float) -> list[Sample]:
    samples = next(turns)
    while time.monotonic() < end:
        samples += next(turns)
    return samples


def floor_outcome_from(fields: Mapping[str, Any]) -> FloorOutcome:
    """From its JSON."""
    return FloorOutcome(**{**fields, "load": outcome_from(fields["load"])})


def main(order: Path, outcome: Path) -> None:
    found = run(FloorOrder(**json.loads(order.read_text())))
    outcome.write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
