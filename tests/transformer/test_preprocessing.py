import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Transpose
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from oip.contract import Interpolation, Preprocessing
from serving.errors import Refused
from tests.assets import PHOTOS, needs_assets
from tests.transformer.pictures import noise
from transformer.image import Picture
from transformer.preprocessing import MAX_ASPECT_RATIO, enough, prepare

INTERPOLATIONS: tuple[Interpolation, ...] = ("nearest", "bilinear", "bicubic")

# Resize and crop of published weights, and the two ways a crop can be larger than what it is cut from.
SIZES = [(232, 224), (256, 224), (342, 299), (224, 224), (224, 232), (99, 224)]

SHORT_EDGES = [1, 2, 3, 17, 100, 223, 224, 231, 232, 233, 480, 701]
ASPECTS = [1, 1.01, 4 / 3, 1.999, 9.7]
SIXTY_SHAPES = [(int(short * aspect), short) for short in SHORT_EDGES for aspect in ASPECTS]


def preset(rgb: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """What torchvision.transforms._presets.ImageClassification does before it normalises."""
    resized = tv.resize(rgb, [preprocessing.resize], interpolation=InterpolationMode(preprocessing.interpolation))
    cropped = tv.center_crop(resized, [preprocessing.crop])
    pixels: NDArray[np.uint8] = tv.pil_to_tensor(cropped).permute(1, 2, 0).numpy()
    return pixels


def assert_as_preset(rgb: Image.Image, preprocessing: Preprocessing) -> None:
    np.testing.assert_array_equal(prepare(Picture.whole(rgb), preprocessing), preset(rgb, preprocessing))


def upright_and_lying(shape: tuple[int, int], seed: int = 0) -> list[Image.Image]:
    return [noise(shape[0], shape[1], seed), noise(shape[1], shape[0], seed)]


@needs_assets
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("resize", "crop"), SIZES)
@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png"])
def test_photos_equal_the_preset(name: str, resize: int, crop: int, interpolation: Interpolation) -> None:
    with Image.open(PHOTOS / name) as photo:
        assert_as_preset(photo.convert("RGB"), Preprocessing(resize, crop, interpolation))


@pytest.mark.parametrize("shape", SIXTY_SHAPES)
def test_sixty_shapes_in_both_orientations_equal_the_preset(shape: tuple[int, int]) -> None:
    for rgb in upright_and_lying(shape):
        assert_as_preset(rgb, Preprocessing(232, 224))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("resize", "crop"), SIZES)
@pytest.mark.parametrize("shape", [(1, 1), (300, 299), (641, 480)])
def test_other_sizes_and_filters_equal_the_preset(
    shape: tuple[int, int], resize: int, crop: int, interpolation: Interpolation
) -> None:
    for rgb in upright_and_lying(shape):
        assert_as_preset(rgb, Preprocessing(resize, crop, interpolation))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("shape", [(4000, 3), (4000, 37), (30000, 300)])
def test_long_thin_pictures_equal_the_preset(shape: tuple[int, int], interpolation: Interpolation) -> None:
    for rgb in upright_and_lying(shape):
        assert_as_preset(rgb, Preprocessing(232, 224, interpolation))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_the_thinnest_pictures_equal_the_preset(interpolation: Interpolation) -> None:
    for rgb in upright_and_lying((MAX_ASPECT_RATIO, 1)):
        assert_as_preset(rgb, Preprocessing(40, 36, interpolation))


@pytest.mark.parametrize("shape", [(1, 1), (3, 2)])
@pytest.mark.parametrize("crop", [2090, 2200])
def test_large_inputs_of_small_pictures_equal_the_preset(shape: tuple[int, int], crop: int) -> None:
    for rgb in upright_and_lying(shape):
        assert_as_preset(rgb, Preprocessing(2100, crop, "bicubic"))


@settings(max_examples=150, deadline=None)
@given(
    long=st.integers(1, 4000),
    short=st.one_of(st.integers(1, 3), st.integers(1, 300)),
    lying=st.booleans(),
    resize=st.integers(1, 64),
    crop=st.integers(1, 80),
    interpolation=st.sampled_from(INTERPOLATIONS),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_equals_the_preset(
    long: int, short: int, lying: bool, resize: int, crop: int, interpolation: Interpolation, seed: int
) -> None:
    rgb = noise(long, short, seed) if lying else noise(short, long, seed)
    assert_as_preset(rgb, Preprocessing(resize, crop, interpolation))


@settings(max_examples=25, deadline=None)
@given(long=st.integers(1000, 4000), short=st.integers(1, 3), lying=st.booleans(), data=st.data())
def test_any_thin_shape_equals_the_preset(long: int, short: int, lying: bool, data: st.DataObject) -> None:
    rgb = noise(long, short) if lying else noise(short, long)
    resize = data.draw(st.integers(64, 110))
    assert_as_preset(rgb, Preprocessing(resize, data.draw(st.integers(1, 2 * resize)), "bicubic"))


def test_overshoot_is_clipped_in_thin_pictures_too() -> None:
    stripes = np.array([[[0, 255, 255]], [[255, 255, 0]]], np.uint8)
    rgb = Image.fromarray(np.tile(stripes, (2000, 1, 1)))
    assert_as_preset(rgb, Preprocessing(60, 56, "bicubic"))


def test_the_result_is_one_block_of_rgb_bytes() -> None:
    for shape in [(300, 200), (200, 300), (3, 4000), (4000, 3)]:
        view = prepare(Picture.whole(noise(*shape)), Preprocessing(232, 224))
        assert view.shape == (224, 224, 3)
        assert view.dtype == np.uint8
        assert view.flags.c_contiguous


def test_the_result_is_the_callers_own() -> None:
    prepare(Picture.whole(noise(224, 224)), Preprocessing(224, 224))[:] = 0


def test_a_picture_smaller_than_the_crop_stands_on_black() -> None:
    view = prepare(Picture.whole(Image.new("RGB", (5, 5), "white")), Preprocessing(2, 5))
    assert view[:, :, 0].tolist() == [
        [0, 0, 0, 0, 0],
        [0, 255, 255, 0, 0],
        [0, 255, 255, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("shape", [(4097, 1), (1, 4097), (8193, 2)])
def test_a_thinner_picture_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(Refused) as refusal:
        prepare(Picture.whole(Image.new("RGB", shape)), Preprocessing(232, 224), field="url")
    assert refusal.value.message == (
        f"url: expected a longer edge of at most 4096 times the shorter one, got {shape[0]}x{shape[1]}"
    )


@pytest.mark.parametrize(("interpolation", "edge"), [("bilinear", 464), ("bicubic", 464), ("nearest", None)])
def test_twice_the_size_is_enough_for_filters_that_average(interpolation: Interpolation, edge: int | None) -> None:
    assert enough(Preprocessing(232, 224, interpolation)) == edge


def wedge(width: int, height: int) -> Image.Image:
    """Darkest at its upper left, red growing to the right and green downwards."""
    red, green = np.linspace(0, 255, width), np.linspace(0, 255, height)
    return Image.fromarray(np.stack(np.broadcast_arrays(red, green[:, None], 0), axis=2).astype(np.uint8))


def eighth(rgb: Image.Image) -> Picture:
    """As libjpeg makes it: the last column and row repeated up to whole blocks, of which each becomes a pixel."""
    blocks = np.pad(np.asarray(rgb), ((0, -rgb.height % 8), (0, -rgb.width % 8), (0, 0)), "edge")
    return Picture(Image.fromarray(blocks).reduce(8), rgb.size, (0, 0, rgb.width / 8, rgb.height / 8))


@pytest.mark.parametrize("turn", Transpose)
@pytest.mark.parametrize("shape", [(161, 161), (210, 161), (161, 319), (329, 163), (160, 160)])
def test_a_picture_that_ends_inside_a_pixel_is_not_stretched(shape: tuple[int, int], turn: Transpose) -> None:
    rgb, preprocessing = wedge(*shape), Preprocessing(10, 8)
    exact = prepare(Picture.whole(rgb).turned(turn), preprocessing).astype(int)
    assert np.abs(prepare(eighth(rgb).turned(turn), preprocessing) - exact).max() <= 2
