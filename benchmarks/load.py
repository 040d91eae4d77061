"""The one load generator of the benchmark: `python -m benchmarks.load ORDER OUTCOME`, both files of JSON.

Closed loop: so many clients, each of which asks again once it is answered. Open loop: requests at a constant rate,
whatever the answers do; a latency counts from the moment at which the request was due, so a server that stalls is
charged for everybody who waits meanwhile (no coordinated omission). Time is monotonic, and not the loop's: uvloop's
has steps of a millisecond.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import uvloop

from benchmarks import process_tree
from benchmarks.connection import Answer, Pool

NO_ANSWER = 0
"""The status of a request whose connection broke, or that was not answered in time."""

RETRY_SECONDS = 0.05
"""Before a client asks again whose connection broke."""

Send = Callable[[bytes], Awaitable[Answer]]


@dataclass(frozen=True)
class Load:
    """`amount` is the number of clients of a closed loop, or the requests a second of an open one."""

    kind: Literal["closed", "open"]
    amount: float
    seconds: float

    @property
    def name(self) -> str:
        return f"c={self.amount:g}" if self.kind == "closed" else f"{self.amount:g}/s"


@dataclass(frozen=True)
class Sample:
    """One request: which photo, when it was due (in seconds from the start), how long its answer took."""

    photo: int
    due_seconds: float
    latency_seconds: float
    status: int
    body: str


@dataclass(frozen=True)
class Order:
    """Whole HTTP requests (files) to send in turn to a port, whose servers' processes descend from `pids`."""

    host: str
    port: int
    requests: list[str]
    load: Load
    warm_up_seconds: float
    patience_seconds: float
    pids: list[int]


@dataclass(frozen=True)
class Outcome:
    """CPU times are those between the first request of the load and its last answer."""

    samples: list[Sample]
    seconds: float
    server_cpu_seconds: float
    generator_cpu_seconds: float


async def generate(send: Send, requests: Sequence[bytes], load: Load, patience_seconds: float) -> list[Sample]:
    """Every request that fell due within the load's time, in that order.

    What is not answered `patience_seconds` after the load's end is given up: status 0, with the time that it took
    until then.
    """
    started = time.monotonic()
    samples: list[Sample] = []
    ask = partial(_ask, send, requests, samples, started)
    if load.kind == "closed":
        tasks = [asyncio.create_task(_client(ask, first, load, started)) for first in range(int(load.amount))]
    else:
        tasks = await _arrivals(ask, load, started)
    deadline = started + load.seconds + patience_seconds
    pending = (await asyncio.wait(tasks, timeout=max(0, deadline - time.monotonic())))[1]
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in set(tasks) - pending:
        task.result()
    return sorted(samples, key=lambda sample: sample.due_seconds)


async def _client(ask: Callable[[int, float], Awaitable[None]], first: int, load: Load, started: float) -> None:
    number, now = first, time.monotonic
    while (due := now()) < started + load.seconds:
        await ask(number, due)
        number += int(load.amount)


async def _arrivals(ask: Callable[[int, float], Any], load: Load, started: float) -> list["asyncio.Task[None]"]:
    tasks = []
    for number in range(max(1, int(load.amount * load.seconds))):
        due = started + number / load.amount
        await asyncio.sleep(due - time.monotonic())
        tasks.append(asyncio.create_task(ask(number, due)))
    return tasks


async def _ask(
    send: Send, requests: Sequence[bytes], samples: list[Sample], started: float, number: int, due: float
) -> None:
    photo = number % len(requests)
    status, body = NO_ANSWER, b""
    try:
        status, body = await send(requests[photo])
    except OSError:
        pass
    finally:
        latency = time.monotonic() - due
        samples.append(Sample(photo, due - started, latency, status, body.decode(errors="replace")))
    if status == NO_ANSWER:
        await asyncio.sleep(RETRY_SECONDS)


async def carry_out(order: Order, requests: Sequence[bytes]) -> Outcome:
    """Warm up, then load."""
    pool = Pool(order.host, order.port, [])
    clients = order.load.amount if order.load.kind == "closed" else 1
    warm_up = Load("closed", clients, order.warm_up_seconds)
    try:
        await generate(pool.send, requests, warm_up, order.patience_seconds)
        cpu, own, started = process_tree.cpu_seconds(order.pids), time.process_time(), time.monotonic()
        samples = await generate(pool.send, requests, order.load, order.patience_seconds)
        own, seconds = time.process_time() - own, time.monotonic() - started
        return Outcome(samples, seconds, process_tree.cpu_seconds(order.pids) - cpu, own)
    finally:
        pool.close()


def order_from(fields: Mapping[str, Any]) -> Order:
    """From its JSON."""
    return Order(**{**fields, "load": Load(**fields["load"])})


def outcome_from(fields: Mapping[str, Any]) -> Outcome:
    """From its JSON."""
    return Outcome(**{**fields, "samples": [Sample(**sample) for sample in fields["samples"]]})


def main(order: Path, outcome: Path) -> None:
    given = order_from(json.loads(order.read_text()))
    requests = [Path(path).read_bytes() for path in given.requests]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(carry_out(given, requests))
    outcome.write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
