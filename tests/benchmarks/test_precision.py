"""How far one precision is from another, and that a real bundle can be compared."""

import numpy as np
import pytest

from benchmarks.precision import HEAD, distance, table
from bundle.reading import Bundle
from predictor.openvino_engine import native_bfloat16
from tests.assets import needs_assets
from tests.predictor.conftest import squeezenet  # noqa: F401  # a fixture
from tests.predictor.crops import photos


def test_only_what_float32_is_sure_of_is_clear() -> None:
    exact = np.array([[0, 5, 0], [0, 1, 0.99]], np.float32)
    rough = np.array([[0, 5, 0], [0, 0.99, 1]], np.float32)
    found = distance(exact, rough)
    assert (found.images, found.clear, found.clear_same, found.same) == (2, 1, 1, 1)


def test_a_clear_one_that_changes_is_counted() -> None:
    exact, rough = np.array([[0, 5, 0]], np.float32), np.array([[5, 0, 0]], np.float32)
    found = distance(exact, rough)
    assert (found.clear, found.clear_same) == (1, 0)
    assert found.least_cosine == 0
    assert found.probability == pytest.approx(0.98, abs=0.01)


def test_the_least_cosine_is_that_of_the_worst_image() -> None:
    exact = np.array([[1, 0], [1, 0]], np.float32)
    rough = np.array([[2, 0], [1, 1]], np.float32)
    assert distance(exact, rough).least_cosine == pytest.approx(0.5**0.5)


@needs_assets
def test_every_precision_of_a_bundle_has_its_row(squeezenet: Bundle) -> None:  # noqa: F811  # the fixture
    rows = [line.split(" | ") for line in table(squeezenet, photos())]
    expected = ["bfloat16", "int8"] if native_bfloat16() else ["int8"]
    assert [row[1] for row in rows] == expected
    assert {len(row) for row in rows} == {len(HEAD[0].split(" | "))}
    assert all(row[2] == "3" for row in rows)
