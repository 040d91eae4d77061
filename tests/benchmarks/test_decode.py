from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.decode import GRAINS, HEAD, camera_jpeg, change, exact, fast, measure, table
from tests.transformer.pictures import noise

PHOTO = noise(8, 6)
SMALL, LARGE = (640, 480), (2000, 1500)


def ticks(*seconds: float) -> Iterator[float]:
    """A clock's readings around pieces of work that take so long, a second apart."""
    now = 0.0
    for each in seconds:
        yield now
        yield now + each
        now += each + 1


def test_both_are_measured_in_turn_and_medians_count() -> None:
    clock = ticks(0.9, 0.02, 0.1, 0.9, 0.2, 0.04)  # exact, fast, exact, fast, exact, fast
    result = measure(camera_jpeg(PHOTO, SMALL, 0), 3, clock.__next__)
    assert result.exact_ms == pytest.approx(200)
    assert result.fast_ms == pytest.approx(40)
    assert result.ratio == pytest.approx(0.2)


def test_a_small_photo_is_seen_unchanged_and_a_large_one_changed() -> None:
    small, large = camera_jpeg(PHOTO, SMALL, 4), camera_jpeg(PHOTO, LARGE, 4)
    assert (change(small).mean_levels, change(small).max_levels) == (0, 0)
    difference = np.abs(exact(large).astype(int) - fast(large))
    assert difference.any()
    assert (change(large).mean_levels, change(large).max_levels) == (difference.mean(), difference.max())


def test_the_change_of_probabilities_is_the_largest_of_any_class() -> None:
    def classify(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        exactly = (pixels == exact(data)).all()
        return np.array([0.5, 0.4, 0.1] if exactly else [0.45, 0.55, 0], np.float32)

    data = camera_jpeg(PHOTO, LARGE, 4)
    seen = change(data, classify)
    assert seen.same_best is False
    assert seen.probability == pytest.approx(0.15)


def test_grain_makes_a_photo_harder_to_compress() -> None:
    assert len(camera_jpeg(PHOTO, SMALL, 12)) > 2 * len(camera_jpeg(PHOTO, SMALL, 0))


def test_the_table_has_a_row_for_each_size_and_grain(tmp_path: Path) -> None:
    PHOTO.save(tmp_path / "noise.png")
    lines = list(table([tmp_path / "noise.png"], 1, sizes=(SMALL, LARGE)))
    assert lines[:2] == list(HEAD)
    assert [line.split(" | ")[1] for line in lines[2:]] == [f"{w}x{h}" for w, h in (SMALL, LARGE) for _ in GRAINS]
    assert {line.count("|") for line in lines} == {HEAD[0].count("|")}


def test_what_is_measured_is_what_is_enlarged() -> None:
    with Image.open(Path(__file__).parents[2] / "docs" / "sample.jpg") as photo:
        assert exact(camera_jpeg(photo, SMALL, 0)).shape == (224, 224, 3)
