"""The photos that servers are loaded with."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.photos import LARGE, SMALL, Photos, jpeg


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert jpeg(320, 240, 3) == jpeg(320, 240, 3)


def test_no_two_photos_are_alike() -> None:
    assert len(set(SMALL.jpegs())) == SMALL.count


def test_a_photo_has_the_size_that_was_asked_for() -> None:
    assert Image.open(io.BytesIO(jpeg(320, 240, 0))).size == (320, 240)


def test_a_photo_is_about_as_large_as_a_camera_would_write_it() -> None:
    assert all(0.15 < len(photo) / (640 * 480) < 0.5 for photo in SMALL.jpegs())


def test_a_photo_is_neither_flat_nor_noise() -> None:
    levels = np.asarray(Image.open(io.BytesIO(jpeg(640, 480, 0))).convert("L"), np.float32)
    neighbours = np.corrcoef(levels[:, :-1].ravel(), levels[:, 1:].ravel())[0, 1]
    assert levels.std() > 30
    assert neighbours > 0.9


@pytest.mark.parametrize(("photos", "name"), [(SMALL, "640x480"), (LARGE, "4000x3000")])
def test_sizes_are_named_by_their_pixels(photos: Photos, name: str) -> None:
    assert photos.name == name
