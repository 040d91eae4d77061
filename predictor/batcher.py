"""Requests become batches: what waits is taken the moment the engine is free, and every request gets its own rows."""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor import metrics
from predictor.ladder import Ladder, joined
from serving import call
from serving.errors import UNEXPECTED, DeadlineExceeded, InternalError, NotReady, Overloaded, Unavailable

logger = logging.getLogger(__name__)

MOST_FAILURES = 16
"""Runs that may fail one after another: an engine that fails for everybody is not one bad image."""

STUCK_SECONDS = 60.0
"""No run takes so long: one that has not ended then never will."""


class _EngineFailed(Exception):
    """Nothing but failures: the engine will not recover in this process."""


@dataclass(eq=False, slots=True)
class _Request:
    """`images` before `taken` have gone to the engine; `rows` are what came back, by the first image of each part."""

    images: NDArray[np.uint8]
    call: call.Call
    answer: asyncio.Future[NDArray[np.float32]]
    queued: float = field(default_factory=time.monotonic)
    taken: int = 0
    started: float = 0.0
    ended: float = 0.0
    rows: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return len(self.images) - self.taken

    def take(self, count: int) -> "_Part":
        self.started = self.started or time.monotonic()
        part = _Part(self, self.taken, self.images[self.taken : self.taken + count])
        self.taken += count
        return part

    def add(self, start: int, rows: NDArray[np.float32], ended: float) -> None:
        self.rows[start], self.ended = rows, ended
        if sum(map(len, self.rows.values())) == len(self.images) and not self.answer.done():
            self.answer.set_result(joined([self.rows[start] for start in sorted(self.rows)]))

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def note_stages(self) -> None:
        """`queue` until its first image went to the engine, `inference` from then until its last one came back."""
        now = time.monotonic()
        self.call.note("queue", self.queued, self.started or now)
        if self.started:
            self.call.note("inference", self.started, self.ended or now)


@dataclass(frozen=True, slots=True)
class _Part:
    """Images of one request that go to the engine together; `start` is the place of the first in the request."""

    request: _Request
    start: int
    images: NDArray[np.uint8]


class Batcher:
    """Requests wait on the event loop; one thread for each of the engine's streams takes what waits and runs it.

    A batch is the first step of the ladder's cover of all that waits, less the share of threads that are idle. It is
    filled by one image of each request in turn, so a single one is taken with the next batch whatever else waits,
    as long as no more requests wait than a batch holds. With `max_wait_ms` a free thread waits that long for a batch
    to fill up to the top. At most `max_waiting` images wait.

    The queue is the threads' and the loop's, under one lock. Requests are answered on the loop alone.
    """

    def __init__(
        self, ladder: Ladder, max_waiting: int, max_wait_ms: float = 0, stuck_seconds: float = STUCK_SECONDS
    ) -> None:
        self._ladder = ladder
        self._dead = False
        self._failures = 0
        self._running_since: dict[int, float] = {}
        self._max_waiting = max_waiting
        self._max_wait_seconds = max_wait_ms / 1000
        self._stuck_seconds = stuck_seconds
        self._changed = threading.Condition()
        self._queue: deque[_Request] = deque()
        self._idle = 0
        self._closing = False
        self._unanswered: set[_Request] = set()
        self._threads = [
            threading.Thread(target=self._work, name=f"device-{stream}", daemon=True)
            for stream in range(ladder.streams)
        ]

    @property
    def alive(self) -> bool:
        """False once a thread has died, or is stuck: nothing will be answered any more, what waited was refused."""
        stuck = time.monotonic() - self._stuck_seconds
        return not self._dead and all(since > stuck for since in list(self._running_since.values()))

    @property
    def waiting(self) -> int:
        """Images that wait for the engine now."""
        with self._changed:
            return self._waiting()

    async def open(self) -> None:
        """Warm the engine up, then start the threads that own it."""
        await asyncio.to_thread(self._ladder.warm_up)
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    async def close(self) -> None:
        """Answer what was accepted, refuse the rest with NotReady, end the threads."""
        self._stop_taking()
        for thread in filter(threading.Thread.is_alive, self._threads):
            await asyncio.to_thread(thread.join)

    async def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `[N, classes]` of N images, at least 1, in their order.

        Raises DeadlineExceeded when the call's time is over before its turn, Overloaded, NotReady, and what the engine
        raised for these images alone. When cancelled, images whose turn has not come are never run.
        """
        request = _Request(images, call.current(), self._loop.create_future())
        self._accept(request)
        try:
            return await request.answer
        finally:
            self._withdraw(request)
            request.note_stages()

    def _accept(self, request: _Request) -> None:
        request.call.check_deadline()
        with self._changed:
            if self._closing:
                raise NotReady("no more images are taken")
            if self._waiting() + request.left > self._max_waiting:
                raise Overloaded(f"images waiting: expected at most {self._max_waiting}, these would be more")
            self._queue.append(request)
            self._changed.notify()
        self._unanswered.add(request)

    def _withdraw(self, request: _Request) -> None:
        self._unanswered.discard(request)
        if not request.left:  # the usual end: none of it waits, and no answer waits for the lock
            return
        with self._changed:
            if request in self._queue:
                self._queue.remove(request)

    def _waiting(self) -> int:
        return sum(request.left for request in self._queue)

    def _work(self) -> None:
        try:
            while batch := self._next_batch():
                self._run(batch)
                del batch  # what a client sent is not kept until the next one comes
        except BaseException:  # whatever ends a thread is noticed, and goes on
            self._died()
            raise

    def _next_batch(self) -> list[_Part]:
        """Wait for it; empty when the batcher is closed and nothing waits any more."""
        with self._changed:
            while (seconds := self._pause()) != 0:
                self._idle += 1
                self._changed.wait(seconds)
                self._idle -= 1
            batch = self._cut()
            if self._queue:
                self._changed.notify()
            return batch

    def _pause(self) -> float | None:
        """How many seconds a free thread holds back: 0 to go on, None until something comes."""
        self._refuse_late()
        waiting = self._waiting()
        if self._closing or waiting >= self._ladder.top:
            return 0
        if not waiting:
            return None
        oldest = min(request.queued for request in self._queue)
        return max(0.0, oldest + self._max_wait_seconds - time.monotonic())

    def _refuse_late(self) -> None:
        for request in [each for each in self._queue if each.call.remaining_seconds <= 0]:
            self._queue.remove(request)
            self._on_loop(request.fail, DeadlineExceeded("the request's deadline is over"))

    def _cut(self) -> list[_Part]:
        counts: Counter[_Request] = Counter()
        for _ in range(self._size()):
            request = self._queue.popleft()
            counts[request] += 1
            if counts[request] < request.left:
                self._queue.append(request)
        return [request.take(count) for request, count in counts.items()]

    def _size(self) -> int:
        waiting = self._waiting()
        share = min(-(-waiting // (self._idle + 1)), self._ladder.limit)
        return min((share, *self._ladder.cover(share)[:1]))

    def _run(self, batch: list[_Part]) -> None:
        images = joined([part.images for part in batch])
        metrics.BATCH_SIZE.observe(len(images))
        metrics.BATCH_WAIT.observe(time.monotonic() - min(part.request.queued for part in batch))
        try:
            rows = self._infer(images)
        except UNEXPECTED as error:
            metrics.BATCH_FAILURES.inc()
            self._failed(batch, error)
        else:
            self._failures = 0
            self._on_loop(_answer, batch, rows, time.monotonic())

    def _infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        thread = threading.get_ident()
        self._running_since[thread] = time.monotonic()
        try:
            return self._ladder.infer(images)
        finally:
            del self._running_since[thread]

    def _failed(self, batch: list[_Part], error: Exception) -> None:
        """Run each request's part alone, once, so that only those fail that cannot be run."""
        self._failures += 1
        if self._failures > MOST_FAILURES:
            raise _EngineFailed from error
        if len(batch) == 1:
            self._on_loop(batch[0].request.fail, error)
            return
        self._on_loop(_log_failed, len(batch), error)
        for part in batch:
            self._run([part])

    def _died(self) -> None:
        self._dead = True
        logger.critical("a thread of the engine died: not alive any more", exc_info=True)
        self._stop_taking()
        self._on_loop(self._refuse_all)

    def _stop_taking(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _refuse_all(self) -> None:
        for request in self._unanswered:
            request.fail(InternalError("the engine died") if request.taken else Unavailable("the engine has died"))

    def _on_loop(self, callback: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *arguments)


def _log_failed(requests: int, error: Exception) -> None:
    """On the loop: a trace takes longer to write than an image to run."""
    logger.warning("a batch of %d requests failed, each is run alone", requests, exc_info=error)


def _answer(batch: list[_Part], rows: NDArray[np.float32], ended: float) -> None:
    first = 0
    for part in batch:
        last = first + len(part.images)
        part.request.add(part.start, rows[first:last], ended)
        first = last
