"""An engine whose answer tells which images it was given."""

import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.engine import Engine

CROP = 2


class Died(BaseException):
    """What no engine may raise."""


class _Clock(threading.local):
    now_ns = 0


class Echo(Engine):
    """Answers with the number of each image. Keeps what it ran; waits while `gate` is cleared.

    A run takes as long as `cost_ns` says of its size, by the engine's own clock. A batch that holds one of `bad` is a
    RuntimeError; one that holds a `deadly` one ends the thread.
    """

    name = "echo"
    precision = "float32"
    device = "none"

    def __init__(
        self,
        steps: Iterable[int] = (1,),
        streams: int = 1,
        bad: Collection[int] = (),
        deadly: Collection[int] = (),
        cost_ns: Callable[[int], int] = lambda size: 10 + size,
    ) -> None:
        self.steps = tuple(steps)
        self.streams = streams
        self.bad = frozenset(bad)
        self.deadly = frozenset(deadly)
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[int]] = []
        self.arrays: list[NDArray[np.uint8]] = []
        self.threads: set[str] = set()
        self.most_at_once = 0
        self._cost_ns = cost_ns
        self._clock = _Clock()
        self._at_once = 0
        self._began = threading.Semaphore(0)
        self._lock = threading.Lock()

    def clock_ns(self) -> int:
        return self._clock.now_ns

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(images) not in self.steps:
            raise ValueError(f"images: expected one of {self.steps}, got {len(images)}")
        numbers = _numbers(images)
        self._begin(images, numbers)
        self.gate.wait(10)
        self._clock.now_ns += self._cost_ns(len(images))
        with self._lock:
            self._at_once -= 1
        if self.deadly.intersection(numbers):
            raise Died
        if self.bad.intersection(numbers):
            raise RuntimeError("a bad image")
        return np.array(numbers, np.float32)[:, None]

    def wait_until_running(self, runs: int = 1) -> None:
        """Until so many more runs have begun."""
        for _ in range(runs):
            if not self._began.acquire(timeout=10):
                raise TimeoutError("nothing runs")

    def forget(self) -> None:
        """As if nothing had been run."""
        self.batches.clear()
        self.arrays.clear()
        self.threads.clear()
        while self._began.acquire(blocking=False):
            pass

    def describe(self) -> dict[str, Any]:
        return {"name": self.name}

    def _begin(self, images: NDArray[np.uint8], numbers: list[int]) -> None:
        with self._lock:
            self.batches.append(numbers)
            self.arrays.append(images)
            self.threads.add(threading.current_thread().name)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._began.release()


def images(numbers: Iterable[int]) -> NDArray[np.uint8]:
    """One image `[crop, crop, 3]` for each number, which is its first pixel; padding is number 0."""
    firsts = np.array([*numbers], "<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    return np.broadcast_to(firsts[:, None, None, :], (len(firsts), CROP, CROP, 3)).copy()


def numbers_in(answer: NDArray[np.float32]) -> list[int]:
    """The number of the image that each row answers."""
    return [int(number) for number in answer[:, 0]]


def _numbers(images: NDArray[np.uint8]) -> list[int]:
    return [int.from_bytes(image[0, 0].tobytes(), "little") for image in images]
