"""A predictor's life: warm before it is ready, and not alive once its engine has died."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundle.reading import read
from oip.tensor import InferRequest, Tensor
from predictor.model import Predictor
from serving import call
from serving.errors import Overloaded, ServiceError
from tests.bundle import tiny
from tests.predictor.engines import Echo

Served = Callable[[Echo], Predictor]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    bundle = read(tiny.write(tmp_path / "bundle"))
    return lambda engine: Predictor("tiny", bundle, engine, "")


def request(*firsts: int) -> InferRequest:
    """Images of 224 pixels, each filled with its number."""
    images = np.broadcast_to(np.array(firsts, np.uint8)[:, None, None, None], (len(firsts), 224, 224, 3))
    return InferRequest("tiny", (Tensor("image", "UINT8", images),))


async def test_every_step_has_run_before_it_is_ready(served: Served) -> None:
    engine = Echo((1, 2, 4))
    model = served(engine)
    accepted = [model.accepts]
    await model.open()
    accepted.append(model.accepts)
    assert {images.shape for images in engine.arrays} == {(step, 224, 224, 3) for step in (1, 2, 4)}
    await model.close()
    accepted.append(model.accepts)
    assert accepted == [False, True, False]


async def test_the_images_of_a_request_are_answered_in_their_order(served: Served) -> None:
    model = served(Echo((1, 2)))
    await model.open()
    call.begin({}, 10)
    response = await model.predict(request(1, 2, 3))
    assert (response.outputs[0].array[:, 0] % 256).tolist() == [1, 2, 3]
    await model.close()


async def test_more_images_than_may_wait_are_refused(tmp_path: Path) -> None:
    engine = Echo()
    model = Predictor("tiny", read(tiny.write(tmp_path / "bundle")), engine, "", max_waiting_images=64)
    await model.open()
    engine.forget()
    engine.gate.clear()
    call.begin({}, 10)
    taken = asyncio.create_task(model.predict(request(1)))
    await asyncio.to_thread(engine.wait_until_running)
    waiting = asyncio.create_task(model.predict(request(*range(64))))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="images waiting: expected at most 64"):
        await model.predict(request(2))
    engine.gate.set()
    assert len((await waiting).outputs[0].array) == 64
    await taken
    await model.close()


def test_it_tells_why_its_engine_was_chosen(tmp_path: Path) -> None:
    bundle = read(tiny.write(tmp_path / "bundle"))
    info = Predictor("tiny", bundle, Echo(), "", reason="the bundle has a graph").info()
    assert info["engine"]["reason"] == "the bundle has a graph"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_it_is_neither_alive_nor_accepts_once_its_engine_has_died(served: Served) -> None:
    model = served(Echo(deadly=[7 * 0x010101]))
    await model.open()
    before = model.alive
    call.begin({}, 10)
    with pytest.raises(ServiceError):
        await model.predict(request(7))
    assert (before, model.alive, model.accepts) == (True, False, False)
    await model.close()
