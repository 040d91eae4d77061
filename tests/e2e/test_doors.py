"""A photo gets the same right answer through every door, alone and among others."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.assets import TOP_FIVE, needs_assets
from tests.e2e.doors import Best, Doors
from tests.e2e.photos import Reference, Sample, samples

pytestmark = needs_assets

SINGLE = ("/predict multipart", "/predict raw body", "/predict/url")
BATCH = (
    "transformer V1 image",
    "transformer V1 image_bytes",
    "transformer V1 url",
    "transformer V2 JSON",
    "transformer V2 url",
    "transformer V2 binary",
    "transformer gRPC",
    "predictor V1",
    "predictor V2 JSON",
    "predictor V2 binary",
    "predictor gRPC",
    "predictor gRPC classification",
)
STATED = 0.002
AGREED = 1e-4

Batch = Callable[[Sequence[Sample]], list[Best]]


@pytest.fixture(scope="module")
def expected(reference: Reference) -> NDArray[np.float32]:
    return reference.probabilities()


def one(doors: Doors, door: str) -> Callable[[Sample], Best]:
    """Any door, asked for the top five of one photo."""
    if door in SINGLE:
        return doors.single(5)[door]
    return lambda sample: doors.batch(5)[door]([sample])[0]


def test_the_table_of_doors_is_all_of_them(doors: Doors) -> None:
    assert (*doors.single(5), *doors.batch(5)) == (*SINGLE, *BATCH)


@pytest.mark.parametrize("door", [*SINGLE, *BATCH])
def test_each_photo_gets_its_stated_top_five(doors: Doors, door: str) -> None:
    for sample in samples()[:3]:
        best, stated = one(doors, door)(sample), TOP_FIVE[sample.name]
        assert [class_id for class_id, _ in best] == list(stated)
        assert [value for _, value in best] == pytest.approx(list(stated.values()), abs=STATED)


@pytest.mark.parametrize("door", [*SINGLE, *BATCH])
def test_each_of_eight_photos_alone_gets_torchvisions_answer(
    doors: Doors, door: str, expected: NDArray[np.float32]
) -> None:
    for sample, row in zip(samples(), expected, strict=True):
        check(one(doors, door)(sample), row)


@pytest.mark.parametrize("door", BATCH)
def test_each_of_eight_photos_in_a_batch_gets_torchvisions_answer(
    doors: Doors, door: str, expected: NDArray[np.float32]
) -> None:
    order = [5, 0, 7, 2, 1, 6, 3, 4]
    answers = doors.batch(5)[door]([samples()[index] for index in order])
    for index, best in zip(order, answers, strict=True):
        check(best, expected[index])


def check(best: Best, probabilities: NDArray[np.float32]) -> None:
    """The five best, in an order that their probabilities allow, each within the bound."""
    values = [value for _, value in best]
    assert values == sorted(values, reverse=True)
    assert [float(probabilities[class_id]) for class_id, _ in best] == pytest.approx(values, abs=AGREED)
    assert values == pytest.approx(sorted(probabilities.tolist(), reverse=True)[:5], abs=AGREED)
