"""What an image costs the engine, measured case by case in turn."""

from collections.abc import Iterator

import pytest

from benchmarks.engine import BATCHES, HEAD, WARM_UP_RUNS, Case, medians_ms, table
from tests.predictor.engines import CROP, Echo


def ticks(*seconds: float) -> Iterator[float]:
    """A clock's readings around pieces of work that take so long."""
    now = 0.0
    for each in seconds:
        yield now
        now += each
        yield now


def test_cases_take_turns_and_medians_count() -> None:
    engine = Echo(BATCHES)
    measured = [Case("float32", 1, images, engine) for images in (1, 8)]
    clock = ticks(0.9, 0.2, 0.1, 0.9, 0.3, 0.4)  # 1 image, 8, 1, 8, 1, 8
    assert medians_ms(measured, CROP, 3, clock.__next__) == pytest.approx([300, 400])
    sizes = [len(batch) for batch in engine.batches]
    assert sizes == [1] * WARM_UP_RUNS + [8] * WARM_UP_RUNS + [1, 8] * 3


def test_the_table_tells_what_one_image_costs() -> None:
    lines = list(table([Case("int8", 2, 4, Echo(BATCHES))], [20.0]))
    assert lines == [*HEAD, "| int8 | 2 | 4 | 20.0 | 5.00 | 200.0 |"]


def test_batches_are_of_the_sizes_that_they_say() -> None:
    engine = Echo(BATCHES)
    medians_ms(
        [Case("float32", 1, images, engine) for images in BATCHES],
        CROP,
        1,
        ticks(*[0.1] * 50).__next__,
    )
    assert {array.shape for array in engine.arrays} == {(images, CROP, CROP, 3) for images in BATCHES}
