"""Requests share batches and each gets its own answer, whatever happens to its neighbours."""

import asyncio
import random
import time
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.batcher import MOST_FAILURES, Batcher
from predictor.ladder import Ladder
from serving import call
from serving.errors import DeadlineExceeded, InternalError, NotReady, Overloaded, Unavailable
from tests.predictor.engines import CROP, Echo, images, numbers_in

STEPS = st.sets(st.sampled_from((2, 3, 4, 8)), max_size=3).map(lambda steps: (1, *sorted(steps)))


@asynccontextmanager
async def batching(
    engine: Echo, max_waiting: int = 4096, max_wait_ms: float = 0, stuck_seconds: float = 60
) -> AsyncIterator[Batcher]:
    batcher = Batcher(Ladder(engine, CROP, engine.clock_ns), max_waiting, max_wait_ms, stuck_seconds)
    await batcher.open()
    engine.forget()
    try:
        async with asyncio.timeout(20):
            yield batcher
    finally:
        engine.gate.set()
        await batcher.close()


async def infer(batcher: Batcher, numbers: Iterable[int], seconds: float = 10) -> list[int]:
    call.begin({}, seconds)
    return numbers_in(await batcher.infer(images(numbers)))


async def begun(batcher: Batcher, numbers: Iterable[int], seconds: float = 10) -> asyncio.Task[list[int]]:
    """A request that has been accepted."""
    task = asyncio.create_task(infer(batcher, numbers, seconds))
    await asyncio.sleep(0)
    return task


async def running(batcher: Batcher, engine: Echo, numbers: Iterable[int], runs: int = 1) -> asyncio.Task[list[int]]:
    """A request of which so many batches are at the engine, whose gate is shut behind them."""
    engine.gate.clear()
    task = await begun(batcher, numbers)
    await asyncio.to_thread(engine.wait_until_running, runs)
    return task


async def test_a_request_is_answered_in_the_order_of_its_images() -> None:
    async with batching(Echo((1, 2, 8))) as batcher:
        assert await infer(batcher, range(64)) == list(range(64))


async def test_what_waits_goes_together_when_the_engine_is_free() -> None:
    engine = Echo((1, 4))
    async with batching(engine) as batcher:
        first = await running(batcher, engine, [1])
        others = [await begun(batcher, [number]) for number in (2, 3, 4, 5)]
        engine.gate.set()
        assert await asyncio.gather(first, *others) == [[1], [2], [3], [4], [5]]
    assert engine.batches == [[1], [2, 3, 4, 5]]


async def test_a_batch_is_the_cheapest_step_for_what_waits() -> None:
    engine = Echo((1, 4), cost_ns={1: 10, 4: 35}.__getitem__)
    async with batching(engine) as batcher:
        assert await infer(batcher, range(7)) == list(range(7))
    assert engine.batches == [[0, 1, 2, 3], [4], [5], [6]]


async def test_the_event_loop_runs_while_the_engine_works() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        work = await running(batcher, engine, [7])
        await asyncio.sleep(0.01)
        assert not work.done()


async def test_a_request_alone_reaches_the_engine_uncopied() -> None:
    engine = Echo((1, 4))
    async with batching(engine) as batcher:
        call.begin({}, 10)
        given_images = images(range(4))
        await batcher.infer(given_images)
    assert engine.arrays[0].base is given_images


async def test_idle_threads_share_what_waits() -> None:
    engine = Echo((1, 2, 4, 8, 16), streams=2)
    async with batching(engine, max_wait_ms=200) as batcher:  # until both threads are idle
        work = await running(batcher, engine, range(8), runs=2)
        assert sorted(map(len, engine.batches)) == [4, 4]
        engine.gate.set()
        assert await work == list(range(8))
        assert len(engine.threads) == 2


async def test_no_more_runs_side_by_side_than_the_engine_has_streams() -> None:
    engine = Echo((1, 2), streams=3)
    async with batching(engine) as batcher:
        await asyncio.gather(*(infer(batcher, range(9)) for _ in range(20)))
    assert engine.most_at_once <= 3


async def test_a_single_image_goes_with_the_next_batch_beside_a_large_request() -> None:
    engine = Echo((1, 8))
    async with batching(engine) as batcher:
        large = await running(batcher, engine, range(64))
        single = await begun(batcher, [100])
        engine.gate.set()
        assert await single == [100]
        assert await large == list(range(64))
    assert 100 in engine.batches[1]
    assert len(engine.batches[1]) == 8


async def test_a_single_image_waits_for_one_image_of_a_large_request_when_batches_hold_one() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        large = await running(batcher, engine, range(64))
        single = await begun(batcher, [100])
        engine.gate.set()
        await asyncio.gather(large, single)
    assert [100] in engine.batches[1:3]


async def test_a_large_request_advances_however_many_single_ones_come() -> None:
    engine = Echo((1, 2))
    async with batching(engine) as batcher:
        large = await running(batcher, engine, range(10))

        async def come_again() -> None:
            while not large.done():
                assert await infer(batcher, [100]) == [100]

        engine.gate.set()
        await asyncio.gather(large, *(come_again() for _ in range(5)))
        assert large.result() == list(range(10))


async def test_what_is_cancelled_before_its_turn_is_never_run() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        first = await running(batcher, engine, [1])
        second = await begun(batcher, [2])
        second.cancel()
        await asyncio.wait([second])
        engine.gate.set()
        assert await first == [1]
        assert await infer(batcher, [3]) == [3]
    assert engine.batches == [[1], [3]]


async def test_the_rest_of_a_request_that_is_cancelled_is_never_run() -> None:
    engine = Echo((1, 4))
    async with batching(engine) as batcher:
        large = await running(batcher, engine, range(64))
        large.cancel()
        await asyncio.wait([large])
        engine.gate.set()
        assert await infer(batcher, [100]) == [100]
    assert engine.batches == [[0, 1, 2, 3], [100]]


async def test_what_is_cancelled_while_it_runs_takes_no_answer_from_its_neighbours() -> None:
    engine = Echo((1, 2))
    async with batching(engine, max_wait_ms=10_000) as batcher:
        engine.gate.clear()
        leaving, staying = [await begun(batcher, [number]) for number in (1, 2)]
        await asyncio.to_thread(engine.wait_until_running)
        leaving.cancel()
        engine.gate.set()
        assert await staying == [2]
    assert engine.batches == [[1, 2]]


async def test_what_was_answered_is_forgotten() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        call.begin({}, 10)
        given_images = images([1])
        gone = weakref.ref(given_images)
        await batcher.infer(given_images)
        del given_images
        await infer(batcher, [2])
        engine.forget()
        assert gone() is None


async def test_what_is_too_late_at_its_turn_is_never_run() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        first = await running(batcher, engine, [1])
        late = await begun(batcher, [2], seconds=0.02)
        await asyncio.sleep(0.03)
        engine.gate.set()
        with pytest.raises(DeadlineExceeded):
            await late
        assert await first == [1]
    assert engine.batches == [[1]]


async def test_what_comes_too_late_is_refused_while_the_engine_is_busy() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        await running(batcher, engine, [1])
        with pytest.raises(DeadlineExceeded):
            await asyncio.wait_for(infer(batcher, [2], seconds=0), 5)


async def test_no_more_images_wait_than_are_allowed() -> None:
    engine = Echo()
    async with batching(engine, max_waiting=4) as batcher:
        first = await running(batcher, engine, [1])
        others = [await begun(batcher, numbers) for numbers in ([2, 3, 4], [5])]
        with pytest.raises(Overloaded, match="4"):
            await infer(batcher, [6])
        engine.gate.set()
        assert await asyncio.gather(first, *others) == [[1], [2, 3, 4], [5]]
        assert await infer(batcher, [6]) == [6]


async def test_a_bad_image_fails_its_own_request_and_no_other() -> None:
    engine = Echo((1, 4), bad=[3])
    async with batching(engine) as batcher:
        first = await running(batcher, engine, [1])
        good, bad, large = [await begun(batcher, numbers) for numbers in ([2], [3], [4, 5])]
        engine.gate.set()
        with pytest.raises(RuntimeError, match="a bad image"):
            await bad
        assert [await task for task in (first, good, large)] == [[1], [2], [4, 5]]
        assert batcher.alive
    assert engine.batches == [[1], [2, 3, 4, 5], [2], [3], [4, 5, 0, 0]]


async def test_a_request_that_fails_alone_is_not_tried_again() -> None:
    engine = Echo((1, 4), bad=[3])
    async with batching(engine) as batcher:
        with pytest.raises(RuntimeError, match="a bad image"):
            await infer(batcher, [2, 3])
    assert engine.batches == [[2, 3, 0, 0]]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_dies_is_noticed_and_nothing_hangs() -> None:
    engine = Echo(streams=2, deadly=[1, 2])
    async with batching(engine) as batcher:
        before = batcher.alive
        killed = await running(batcher, engine, [1])
        beside = await running(batcher, engine, [2])
        waiting = await begun(batcher, [3])
        engine.gate.set()
        for task, expected in ((killed, InternalError), (beside, InternalError), (waiting, Unavailable)):
            with pytest.raises(expected):
                await task
        assert (before, batcher.alive) == (True, False)
        with pytest.raises(Unavailable):
            await infer(batcher, [4])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_an_engine_that_does_nothing_but_fail_is_given_up() -> None:
    async with batching(Echo(bad=range(1, 1000))) as batcher:
        for number in range(1, MOST_FAILURES + 1):
            with pytest.raises(RuntimeError, match="a bad image"):
                await infer(batcher, [number])
            assert batcher.alive
        with pytest.raises(InternalError):
            await infer(batcher, [999])
        assert not batcher.alive


async def test_failures_between_answers_are_no_reason_to_give_up() -> None:
    async with batching(Echo(bad=[1])) as batcher:
        for _ in range(MOST_FAILURES + 1):
            with pytest.raises(RuntimeError, match="a bad image"):
                await infer(batcher, [1])
            assert await infer(batcher, [2]) == [2]
        assert batcher.alive


async def test_a_run_that_does_not_end_is_noticed() -> None:
    engine = Echo()
    async with batching(engine, stuck_seconds=0.05) as batcher:
        task = await running(batcher, engine, [1])
        await asyncio.sleep(0.1)
        assert not batcher.alive
        engine.gate.set()
        assert await task == [1]
        assert batcher.alive


async def test_what_was_accepted_is_answered_before_the_end() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        tasks = [await running(batcher, engine, [1]), await begun(batcher, range(20))]
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(NotReady):
            await infer(batcher, [3])
        engine.gate.set()
        assert await asyncio.gather(*tasks) == [[1], list(range(20))]
        await closing
        assert batcher.alive


async def test_a_batcher_that_never_opened_closes() -> None:
    await Batcher(Ladder(Echo(), CROP), 64).close()


async def test_a_free_engine_waits_for_a_fuller_batch_when_told_to() -> None:
    engine = Echo((1, 4))
    async with batching(engine, max_wait_ms=50) as batcher:
        started = time.monotonic()
        first = await begun(batcher, [1])
        await asyncio.sleep(0.005)
        second = await begun(batcher, [2])
        await asyncio.gather(first, second)
        assert time.monotonic() - started >= 0.05
    assert engine.batches == [[1, 2, 0, 0]]


async def test_those_who_come_later_do_not_make_the_first_one_wait_longer() -> None:
    async with batching(Echo((1, 128)), max_wait_ms=50) as batcher:
        tasks = [await begun(batcher, [0])]
        while not tasks[0].done():
            tasks.append(await begun(batcher, [len(tasks)]))
            await asyncio.sleep(0.005)
        assert len(tasks) < 64
        await asyncio.gather(*tasks)


async def test_a_full_batch_waits_for_nothing() -> None:
    engine = Echo((1, 4))
    async with batching(engine, max_wait_ms=15_000) as batcher:
        assert await asyncio.gather(*(infer(batcher, [number]) for number in range(4))) == [[0], [1], [2], [3]]
    assert engine.batches == [[0, 1, 2, 3]]


async def test_the_end_waits_for_no_fuller_batch() -> None:
    async with batching(Echo((1, 4)), max_wait_ms=15_000) as batcher:
        work = await begun(batcher, [1])
        await batcher.close()
        assert await work == [1]


async def test_the_stages_tell_waiting_from_working() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        first = await running(batcher, engine, [1])
        current = call.begin({}, 10)
        second = asyncio.create_task(batcher.infer(images([2])))
        await asyncio.sleep(0.2)
        engine.gate.set()
        await asyncio.gather(first, second)
    assert current.stages["queue"] >= 200 > current.stages["inference"] >= 0


async def test_a_request_works_from_its_first_image_to_its_last() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        engine.gate.clear()
        current = call.begin({}, 10)
        large = asyncio.create_task(batcher.infer(images(range(3))))
        await asyncio.sleep(0.2)
        engine.gate.set()
        await large
    assert current.stages["inference"] >= 150 > current.stages["queue"]


async def test_what_never_ran_has_only_waited() -> None:
    engine = Echo()
    async with batching(engine) as batcher:
        await running(batcher, engine, [1])
        current = call.begin({}, 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(batcher.infer(images([2])), 0.02)
    assert current.stages.keys() == {"queue"}


@settings(deadline=None, max_examples=60)
@given(data=st.data())
async def test_batched_answers_are_those_of_every_image_alone(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=12))
    bounds = [1 + sum(sizes[:index]) for index in range(len(sizes) + 1)]
    requests = [range(first, last) for first, last in pairwise(bounds)]
    bad = data.draw(st.sets(st.integers(1, bounds[-1] - 1), max_size=3))
    gone = data.draw(st.sets(st.integers(0, len(sizes) - 1), max_size=3))
    late = data.draw(st.sets(st.integers(0, len(sizes) - 1), max_size=3))
    pauses = data.draw(st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes)))
    engine = Echo(data.draw(STEPS), data.draw(st.integers(1, 3)), bad)
    async with batching(engine, max_wait_ms=data.draw(st.sampled_from((0, 1)))) as batcher:
        tasks = []
        for index, numbers in enumerate(requests):
            tasks.append(asyncio.create_task(infer(batcher, numbers, 0 if index in late else 10)))
            for _ in range(pauses[index]):
                await asyncio.sleep(0)
        for index in gone:
            tasks[index].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    for index, (numbers, answer) in enumerate(zip(requests, answers, strict=True)):
        if index in gone and isinstance(answer, asyncio.CancelledError):
            continue
        if index in late:
            assert isinstance(answer, DeadlineExceeded)
        elif bad.intersection(numbers):
            assert isinstance(answer, RuntimeError)
        else:
            assert answer == list(numbers)
    if not bad:
        assert all(runs == 1 for number, runs in _runs(engine).items())


async def test_no_answer_is_lost_or_given_twice_when_many_leave() -> None:
    chance = random.Random(7)
    engine = Echo((1, 2, 4, 8), streams=3)
    numbers = iter(range(1, 10_000))
    requests = [[next(numbers) for _ in range(chance.randint(1, 8))] for _ in range(500)]
    async with batching(engine) as batcher:
        tasks = []
        for request in requests:
            tasks.append(asyncio.create_task(infer(batcher, request, chance.choice((10, 10, 10, 0.002, 0)))))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice((0, 0.001)))
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    answered = [answer for answer in answers if isinstance(answer, list)]
    assert answered == [request for request, answer in zip(requests, answers, strict=True) if isinstance(answer, list)]
    assert len(answered) > 100
    assert {type(answer) for answer in answers} == {list, asyncio.CancelledError, DeadlineExceeded}
    runs = _runs(engine)
    assert set(runs.values()) == {1}
    assert all(number in runs for request in answered for number in request)


def _runs(engine: Echo) -> Counter[int]:
    """How often each image was run, without padding."""
    return Counter(number for batch in engine.batches for number in batch if number)
