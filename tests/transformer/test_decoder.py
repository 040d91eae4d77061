import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.decode import camera_jpeg, squeezenet
from oip.contract import Preprocessing
from serving.errors import BadInput, Refused, TooLarge
from serving.timeline import Timeline
from tests.assets import PHOTOS, WEIGHTS, needs_assets
from tests.transformer.pictures import noise, saved, turned
from transformer.decoder import Decode, Decoder
from transformer.image import ImageLimits
from transformer.request import Base64Photo, Photo

Pixels = NDArray[np.uint8]

PREPROCESSING = Preprocessing(232, 224)
TINY = Preprocessing(10, 8)
JPEG = saved(noise(30, 20), "JPEG")

MOST_PROBABILITY = 0.04
"""That `fast` may move a class by; measured at most 0.010 at 12 megapixels, 0.024 just over the threshold."""


@asynccontextmanager
async def decoder(
    mode: Decode, threads: int = 1, max_pixels: int = 25_000_000, max_bytes: int = 10**7
) -> AsyncIterator[Decoder]:
    made = Decoder(threads, ImageLimits(max_pixels), max_bytes, mode)
    try:
        yield made
    finally:
        await made.close()


async def pixels(made: Decoder, photo: Photo | Base64Photo, preprocessing: Preprocessing = TINY) -> Pixels:
    found = np.empty((preprocessing.crop, preprocessing.crop, 3), np.uint8)
    await made.decode(photo, preprocessing, found, Timeline("decode", "preprocess", "queue"))
    return found


async def both(data: bytes, preprocessing: Preprocessing) -> tuple[Pixels, Pixels]:
    """Exact, fast."""
    async with decoder("exact") as exact, decoder("fast") as fast:
        photo = Photo(data, "image")
        return await pixels(exact, photo, preprocessing), await pixels(fast, photo, preprocessing)


@pytest.mark.parametrize("shape", [(39, 60), (60, 39), (39, 39), (39, 4000)])
async def test_fast_equals_exact_below_four_times_the_size(shape: tuple[int, int]) -> None:
    exact, fast = await both(saved(noise(*shape), "JPEG"), TINY)
    np.testing.assert_array_equal(fast, exact)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF", "BMP"])
async def test_fast_equals_exact_in_other_formats(file_format: str) -> None:
    exact, fast = await both(saved(noise(200, 100), file_format), TINY)
    np.testing.assert_array_equal(fast, exact)


async def test_fast_equals_exact_for_the_filter_that_does_not_average() -> None:
    exact, fast = await both(saved(noise(200, 100), "JPEG"), Preprocessing(10, 8, "nearest"))
    np.testing.assert_array_equal(fast, exact)


@pytest.mark.parametrize("shape", [(40, 40), (161, 203), (203, 161), (4000, 41)])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_fast_differs_by_levels_in_any_orientation(shape: tuple[int, int], orientation: int) -> None:
    soft = noise(3, 3).resize(shape, Image.Resampling.BICUBIC)
    exact, fast = await both(saved(soft, "JPEG", exif=b"Exif\0\0" + turned(orientation), quality=95), TINY)
    difference = np.abs(exact.astype(int) - fast)
    assert 0 < difference.mean() < 1
    assert difference.max() <= 8


@pytest.fixture(scope="module")
def classify() -> Callable[[Pixels], NDArray[np.float32]]:
    return squeezenet(WEIGHTS)


@needs_assets
@pytest.mark.parametrize(
    ("size", "grain", "mean_level", "max_level"),
    [
        pytest.param((4000, 3000), 4, 0.4, 7, id="12 megapixels"),
        pytest.param((3023, 4031), 0, 0.4, 7, id="12 megapixels of odd edges, smooth"),
        pytest.param((1856, 1856), 4, 0.8, 14, id="just large enough to be halved"),
    ],
)
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png"])
async def test_fast_keeps_what_a_large_photo_shows(
    name: str,
    size: tuple[int, int],
    grain: float,
    mean_level: float,
    max_level: int,
    classify: Callable[[Pixels], NDArray[np.float32]],
) -> None:
    with Image.open(PHOTOS / name) as photo:
        exact, fast = await both(camera_jpeg(photo, size, grain), PREPROCESSING)
    levels = np.abs(exact.astype(int) - fast)
    assert 0 < levels.mean() <= mean_level
    assert levels.max() <= max_level
    was, now = classify(exact), classify(fast)
    assert np.abs(was - now).max() <= MOST_PROBABILITY
    assert was.argmax() == now.argmax()


@needs_assets
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png"])
async def test_fast_is_exact_for_photos_of_everyday_size(name: str) -> None:
    with Image.open(PHOTOS / name) as photo:
        exact, fast = await both(camera_jpeg(photo, (640, 480), 0), PREPROCESSING)
    np.testing.assert_array_equal(fast, exact)


@pytest.mark.parametrize("mode", ["exact", "fast"])
async def test_base64_is_decoded_to_the_same_pixels(mode: Decode) -> None:
    async with decoder(mode) as made:
        plain = await pixels(made, Photo(JPEG, "image"))
        for text in (base64.b64encode(JPEG), base64.b64encode(JPEG).decode()):
            np.testing.assert_array_equal(await pixels(made, Base64Photo(text, "image")), plain)


@pytest.mark.parametrize("text", ["n*t", "abc", "ä", b"\xff"])
async def test_what_is_not_base64_is_bad_input(text: str | bytes) -> None:
    async with decoder("fast") as made:
        with pytest.raises(BadInput, match=r"^b64: expected base64 \(RFC 4648, section 4\), got something else$"):
            await pixels(made, Base64Photo(text, "b64"))


async def test_a_photo_of_too_many_bytes_is_too_large() -> None:
    async with decoder("fast", max_bytes=len(JPEG)) as made:
        await pixels(made, Photo(JPEG, "file"))
        with pytest.raises(TooLarge, match=rf"^file: expected at most {len(JPEG)} bytes, got {len(JPEG) + 1}$"):
            await pixels(made, Photo(JPEG + b"\0", "file"))
        with pytest.raises(TooLarge, match=rf"^file: expected at most {len(JPEG)} bytes, got about {len(JPEG) + 1}"):
            await pixels(made, Base64Photo(b"A" * ((len(JPEG) + 1) * 4 // 3 + 1), "file"))


@pytest.mark.parametrize("mode", ["exact", "fast"])
async def test_a_photo_of_too_many_pixels_is_refused(mode: Decode) -> None:
    async with decoder(mode, max_pixels=9999) as made:
        with pytest.raises(Refused, match=r"^file: expected at most 9999 pixels, got 10000 \(100x100\)$"):
            await pixels(made, Photo(saved(noise(100, 100), "JPEG"), "file"))


def decoding() -> int:
    return sum(thread.name.startswith("decode") for thread in threading.enumerate())


@pytest.mark.parametrize("threads", [1, 3])
async def test_there_are_no_more_threads_than_asked_for_and_none_after_closing(threads: int) -> None:
    async with decoder("exact", threads) as made:
        photo = Photo(saved(noise(300, 300), "PNG"), "file")
        await asyncio.gather(*(pixels(made, photo) for _ in range(12)))
        assert decoding() == threads
    assert decoding() == 0
