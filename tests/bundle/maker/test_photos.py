from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bundle.errors import BundleError
from bundle.maker import photos
from oip.contract import Interpolation, Preprocessing
from tests.assets import PHOTOS, TOP_FIVE, needs_assets
from transformer.image import ImageLimits, decode
from transformer.preprocessing import prepare

PREPROCESSING = Preprocessing(40, 32)


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return Image.fromarray(values, "RGBA").convert(mode)


def transformed(path: Path, preprocessing: Preprocessing) -> bytes:
    return prepare(decode(path.read_bytes(), ImageLimits()), preprocessing).tobytes()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("size", [(40, 40), (81, 57), (57, 333), (20, 21), (1, 9)])
def test_pixels_are_those_that_the_transformer_sends(
    tmp_path: Path, size: tuple[int, int], interpolation: Interpolation
) -> None:
    preprocessing = Preprocessing(40, 33, interpolation)
    noise(*size).save(tmp_path / "photo.png")
    pixels = photos.read(tmp_path / "photo.png", preprocessing)
    assert pixels.shape == (33, 33, 3)
    assert pixels.tobytes() == transformed(tmp_path / "photo.png", preprocessing)


@pytest.mark.parametrize(
    "name", ["1.png", "L.png", "LA.png", "P.png", "RGBA.png", "RGBA.webp", "CMYK.jpg", "L.jpg", "RGB.bmp", "P.gif"]
)
def test_every_kind_of_picture_is_read_as_the_transformer_reads_it(tmp_path: Path, name: str) -> None:
    noise(90, 70, mode=name.partition(".")[0]).save(tmp_path / name)
    assert photos.read(tmp_path / name, PREPROCESSING).tobytes() == transformed(tmp_path / name, PREPROCESSING)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright(tmp_path: Path, orientation: int) -> None:
    image = noise(90, 70)
    image.getexif()[0x0112] = orientation
    image.save(tmp_path / "photo.jpg", exif=image.getexif())
    expected = transformed(tmp_path / "photo.jpg", PREPROCESSING)
    assert photos.read(tmp_path / "photo.jpg", PREPROCESSING).tobytes() == expected


@needs_assets
@pytest.mark.parametrize("name", TOP_FIVE)
def test_a_real_photo_is_read_as_the_transformer_reads_it(name: str) -> None:
    preprocessing = Preprocessing(256, 224)
    assert photos.read(PHOTOS / name, preprocessing).tobytes() == transformed(PHOTOS / name, preprocessing)


def text_file(path: Path) -> None:
    path.write_text("a shopping list")


def torn(path: Path) -> None:
    noise(90, 70).save(path)
    path.write_bytes(path.read_bytes()[:-4000])


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.zeros((50, 50), np.uint16)).save(path)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (text_file, "expected one of BMP, GIF, JPEG, PNG, WEBP, got something else"),
        (torn, "cannot be decoded: "),
        (sixteen_bits, "expected at most 8 bits a channel, got mode I;16"),
    ],
)
def test_what_is_no_photo_is_refused_by_its_path(tmp_path: Path, spoil: Callable[[Path], None], text: str) -> None:
    spoil(tmp_path / "photo.png")
    with pytest.raises(BundleError, match=f"photo.png: {text}"):
        photos.read(tmp_path / "photo.png", PREPROCESSING)


def folder(path: Path, seeds: range) -> Path:
    for seed in seeds:
        (path / f"{seed % 3}").mkdir(parents=True, exist_ok=True)
        noise(4, 4, seed=seed).save(path / f"{seed % 3}" / f"{seed}.PNG")
    return path


def contents(paths: list[Path]) -> set[bytes]:
    return {path.read_bytes() for path in paths}


def test_photos_lie_at_any_depth_among_other_files_and_copies_count_once(tmp_path: Path) -> None:
    folder(tmp_path, range(7))
    (tmp_path / "copy.png").write_bytes((tmp_path / "0" / "3.PNG").read_bytes())
    (tmp_path / "README.txt").write_text("photos")
    assert len(photos.find(tmp_path)) == 7


def test_without_a_second_folder_every_other_photo_is_held_out(tmp_path: Path) -> None:
    calibrated, held_out = photos.split(folder(tmp_path, range(9)), None)
    assert (len(calibrated), len(held_out)) == (5, 4)
    assert contents(calibrated).isdisjoint(contents(held_out))


def test_the_split_does_not_depend_on_names(tmp_path: Path) -> None:
    before = contents(photos.split(folder(tmp_path, range(9)), None)[1])
    for path in list(tmp_path.rglob("*.PNG")):
        path.rename(path.with_name(f"x{hash(path)}.png"))
    assert contents(photos.split(tmp_path, None)[1]) == before


def test_a_photo_in_both_folders_is_not_held_out(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "one", range(6)), folder(tmp_path / "other", range(4, 10))
    calibrated, held_out = photos.split(one, other)
    assert (len(calibrated), len(held_out)) == (6, 4)
    assert contents(calibrated).isdisjoint(contents(held_out))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="photos: expected a folder of photos, got none"):
        photos.find(tmp_path / "photos")
