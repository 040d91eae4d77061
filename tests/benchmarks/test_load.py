"""The load generator: what it sends when, and what it takes for a latency."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from itertools import count, pairwise
from pathlib import Path

import pytest

from benchmarks.connection import Answer
from benchmarks.load import NO_ANSWER, Load, Order, Sample, carry_out, generate, outcome_from
from benchmarks.upload import upload

DELAY = 0.05
OK = 200


class Waiter:
    """Answers after a delay; `serial`: one request at a time, like a server with one worker."""

    def __init__(self, delay: float = DELAY, serial: bool = False) -> None:
        self.delay = delay
        self.busy, self.most_busy = 0, 0
        self.lock = asyncio.Semaphore(1 if serial else 1000)

    async def __call__(self, request: bytes) -> Answer:
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        async with self.lock:
            await asyncio.sleep(self.delay)
        self.busy -= 1
        return OK, request


REQUESTS = [b"first", b"second", b"third"]


async def test_a_closed_loop_keeps_as_many_requests_under_way_as_it_has_clients() -> None:
    server = Waiter()
    samples = await generate(server, REQUESTS, Load("closed", 4, 0.5), 5)
    assert server.most_busy == 4
    assert 8 <= len(samples) <= 44  # 4 clients, at most 11 turns each


async def test_a_client_of_a_closed_loop_waits_for_its_answer() -> None:
    samples = await generate(Waiter(), REQUESTS, Load("closed", 1, 0.4), 5)
    assert all(later.due_seconds - earlier.due_seconds >= DELAY * 0.9 for earlier, later in pairwise(samples))


async def test_a_latency_is_the_time_that_the_answer_took() -> None:
    samples = await generate(Waiter(), REQUESTS, Load("closed", 1, 0.3), 5)
    assert DELAY <= min(sample.latency_seconds for sample in samples) < 2 * DELAY


async def test_an_open_loop_asks_at_its_rate_whatever_the_answers_do() -> None:
    server = Waiter(delay=0.5)
    samples = await generate(server, REQUESTS, Load("open", 20, 0.5), 5)
    assert [sample.due_seconds for sample in samples] == pytest.approx([number / 20 for number in range(10)])
    assert server.most_busy == 10


async def test_an_open_loop_charges_a_stalling_server_for_everybody_who_waits() -> None:
    # Due every 50 ms, served one every 100 ms: each waits 50 ms longer than the one before.
    samples = await generate(Waiter(delay=0.1, serial=True), REQUESTS, Load("open", 20, 0.5), 5)
    waits = [sample.latency_seconds for sample in samples]
    assert 0.1 <= waits[0] < 0.2
    assert waits[-1] - waits[0] >= 9 * 0.05 - 0.01
    assert waits == sorted(waits)


async def test_an_open_loop_counts_from_when_a_request_was_due_not_from_when_it_was_sent() -> None:
    async def blocking(request: bytes) -> Answer:
        await asyncio.sleep(0)
        _block(0.1)  # neither does the generator come to send the next ones
        return OK, request

    samples = await generate(blocking, REQUESTS, Load("open", 50, 0.1), 5)
    assert [sample.due_seconds for sample in samples] == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
    assert samples[-1].latency_seconds > 0.3  # five of 0.1 s each, less the 0.08 s before it was due


def _block(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        pass


@pytest.mark.parametrize("kind", ["closed", "open"])
async def test_photos_take_turns(kind: str) -> None:
    samples = await generate(Waiter(0.01), REQUESTS, Load("closed" if kind == "closed" else "open", 3, 2), 5)
    assert {sample.photo for sample in samples} == {0, 1, 2}
    assert all(sample.body.encode() == REQUESTS[sample.photo] for sample in samples)


async def test_what_is_not_answered_in_time_is_given_up_and_counted() -> None:
    samples = await generate(Waiter(delay=60), REQUESTS, Load("closed", 2, 0.1), 0.2)
    assert [sample.status for sample in samples] == [NO_ANSWER] * 2
    assert all(sample.latency_seconds >= 0.25 for sample in samples)


async def test_a_broken_connection_is_counted_and_asked_again_without_haste() -> None:
    async def broken(request: bytes) -> Answer:
        raise ConnectionError

    samples = await generate(broken, REQUESTS, Load("closed", 1, 0.3), 5)
    assert {sample.status for sample in samples} == {NO_ANSWER}
    assert len(samples) <= 7


async def test_a_mistake_of_the_generator_is_not_taken_for_one_of_the_server() -> None:
    async def mistaken(request: bytes) -> Answer:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        await generate(mistaken, REQUESTS, Load("open", 10, 0.2), 5)


END_OF_ANSWER = b"}"
Respond = Callable[[int], bytes]


@asynccontextmanager
async def http_server(respond: Respond, delay: float = 0) -> AsyncIterator[int]:
    """A server on loopback that answers its nth request with `respond(n)`, and closes unless that is whole."""
    numbers, serving = count(), set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        while head := await _read(reader):
            assert head.startswith(b"POST /predict HTTP/1.1\r\n")
            await asyncio.sleep(delay)
            written = respond(next(numbers))
            writer.write(written)
            if not written.endswith(END_OF_ANSWER):
                break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*filter(None, serving))


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head


def answer(body: bytes = b"{}", status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def order(port: int, load: Load, warm_up_seconds: float = 0.1) -> Order:
    return Order("127.0.0.1", port, [], load, warm_up_seconds, 5, [os.getpid()])


async def test_answers_come_over_http() -> None:
    async with http_server(lambda _: answer(b'{"a": 1}'), delay=0.02) as port:
        outcome = await carry_out(order(port, Load("closed", 2, 0.3)), [upload(b"jpeg")])
    assert {(sample.status, sample.body) for sample in outcome.samples} == {(OK, '{"a": 1}')}
    assert min(sample.latency_seconds for sample in outcome.samples) >= 0.02


async def test_refusals_are_answers_with_their_status() -> None:
    async with http_server(lambda number: answer(status="503 Busy") if number % 2 else answer(), 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.3)), [upload(b"jpeg")])
    assert {sample.status for sample in outcome.samples} == {OK, 503}


async def test_a_server_that_closes_after_each_answer_gets_a_new_connection() -> None:
    async with http_server(lambda _: answer(extra="Connection: close\r\n"), 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.3)), [upload(b"jpeg")])
    assert {sample.status for sample in outcome.samples} == {OK}


async def test_a_connection_that_the_server_closed_while_it_was_idle_is_no_error() -> None:
    # Closed without a word right after every second answer: the next request finds out only when it is sent.
    async with http_server(lambda number: answer() if number % 2 == 0 else b"", 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.3)), [upload(b"jpeg")])
    assert {sample.status for sample in outcome.samples} == {OK}


async def test_a_server_that_never_answers_is_an_error() -> None:
    async with http_server(lambda _: b"", 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.2)), [upload(b"jpeg")])
    assert {sample.status for sample in outcome.samples} == {NO_ANSWER}


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    async with http_server(lambda number: answer() if number == 0 else b"HTTP/1.1 200 OK\r\n", 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.2), 0), [upload(b"jpeg")])
    assert NO_ANSWER in {sample.status for sample in outcome.samples}


async def test_an_answer_that_is_not_http_is_no_answer() -> None:
    async with http_server(lambda _: b"nonsense\r\n\r\n", 0.01) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.2)), [upload(b"jpeg")])
    assert {sample.status for sample in outcome.samples} == {NO_ANSWER}


async def test_warming_up_is_not_counted() -> None:
    asked: list[int] = []

    def respond(number: int) -> bytes:
        asked.append(number)
        return answer()

    async with http_server(respond, 0.02) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.1), warm_up_seconds=0.3), [upload(b"jpeg")])
    assert len(asked) - len(outcome.samples) >= 3


async def test_cpu_time_of_server_and_generator_is_told(tmp_path: Path) -> None:
    async with http_server(lambda _: answer()) as port:
        outcome = await carry_out(order(port, Load("closed", 1, 0.3)), [upload(b"jpeg")])
    assert 0 < outcome.generator_cpu_seconds < outcome.seconds * 1.1
    assert outcome.server_cpu_seconds > 0  # of this process, which is both


def test_the_generator_as_a_process_reads_its_order_and_writes_the_outcome(tmp_path: Path) -> None:
    request = tmp_path / "0.http"
    request.write_bytes(upload(b"jpeg"))
    given = Order("127.0.0.1", 1, [str(request)], Load("closed", 1, 0.1), 0.05, 1, [os.getpid()])
    (tmp_path / "order").write_text(json.dumps(asdict(given)))
    command = [sys.executable, "-m", "benchmarks.load", str(tmp_path / "order"), str(tmp_path / "outcome")]
    subprocess.run(command, check=True)
    outcome = outcome_from(json.loads((tmp_path / "outcome").read_text()))
    assert isinstance(outcome.samples[0], Sample)
    assert outcome.samples[0].status == NO_ANSWER  # nobody listens on port 1
