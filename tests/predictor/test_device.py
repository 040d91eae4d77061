"""One thread owns the device; what nobody waits for any more never reaches it."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from predictor.device import DeviceThread
from serving import call
from serving.errors import DeadlineExceeded
from tests.predictor.engines import Echo, image


@pytest.fixture
async def engine() -> Echo:
    return Echo()


@pytest.fixture
async def device(engine: Echo) -> AsyncIterator[DeviceThread]:
    device = DeviceThread(engine)
    yield device
    engine.open.set()
    await device.close()


async def infer(device: DeviceThread, number: int, seconds: float = 10) -> int:
    call.begin({}, seconds)
    return int(np.argmax(await device.infer(image(number))))


async def test_each_request_gets_its_own_answer_from_one_thread(device: DeviceThread, engine: Echo) -> None:
    answers = await asyncio.gather(*(infer(device, number) for number in range(50)))
    assert answers == list(range(50))
    assert engine.calls == list(range(50))
    assert len(engine.threads) == 1


async def test_the_event_loop_runs_while_the_device_works(device: DeviceThread, engine: Echo) -> None:
    engine.open.clear()
    work = asyncio.create_task(infer(device, 7))
    await asyncio.sleep(0.05)
    assert not work.done()
    engine.open.set()
    assert await work == 7


async def test_what_is_cancelled_before_its_turn_is_never_run(device: DeviceThread, engine: Echo) -> None:
    engine.open.clear()
    first, second = (asyncio.create_task(infer(device, number)) for number in (1, 2))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    engine.open.set()
    assert await first == 1
    assert await infer(device, 3) == 3
    assert engine.calls == [1, 3]


async def test_what_is_too_late_at_its_turn_is_never_run(device: DeviceThread, engine: Echo) -> None:
    engine.open.clear()
    first, late = asyncio.create_task(infer(device, 1)), asyncio.create_task(infer(device, 2, seconds=0.05))
    await asyncio.sleep(0.1)
    engine.open.set()
    assert await first == 1
    with pytest.raises(DeadlineExceeded):
        await late
    assert engine.calls == [1]


async def test_the_stages_tell_waiting_from_working(device: DeviceThread, engine: Echo) -> None:
    engine.open.clear()
    first = asyncio.create_task(infer(device, 1))
    await asyncio.sleep(0)
    begun = call.begin({}, 10)
    second = asyncio.create_task(device.infer(image(2)))
    await asyncio.sleep(0.1)
    engine.open.set()
    await asyncio.gather(first, second)
    assert begun.stages["queue"] >= 100
    assert begun.stages["inference"] < 100
