"""Photos of a folder as the predictor's input, the same pixels as the transformer sends for them."""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from bundle.errors import BundleError, mismatch
from oip.contract import Preprocessing

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"})

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP")

_DEPTHS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
"""Modes of 8 bits a channel at most."""


def find(folder: Path) -> dict[str, Path]:
    """Every photo in the folder and below it, by the SHA-256 of its content and in that order; copies count once."""
    if not folder.is_dir():
        raise mismatch(f"{folder}", "a folder of photos", "none")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return dict(sorted((_sha256(path), path) for path in paths))


def split(calibration: Path, holdout: Path | None) -> tuple[list[Path], list[Path]]:
    """Photos to calibrate with and others to judge by: those of two folders, or every other one of the first.

    A photo that lies in both folders is only calibrated with.
    """
    found = find(calibration)
    if holdout is None:
        paths = list(found.values())
        return paths[::2], paths[1::2]
    return list(found.values()), list(_without(find(holdout), found).values())


def read(path: Path, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The photo as `[crop, crop, 3]`; raises BundleError, with its path, for what is no 8-bit picture."""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("error")
            if image.mode not in _DEPTHS:
                raise mismatch(f"{path}", "at most 8 bits a channel", f"mode {image.mode}")
            rgb = _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise mismatch(f"{path}", f"one of {', '.join(_FORMATS)}", "something else") from error
    except (OSError, SyntaxError, UserWarning, ValueError, Image.DecompressionBombError) as error:
        raise BundleError(f"{path}: cannot be decoded: {error}") from error
    interpolation = InterpolationMode(preprocessing.interpolation)
    resized = transforms.resize(rgb, [preprocessing.resize], interpolation)
    return np.array(transforms.center_crop(resized, [preprocessing.crop]))


def _rgb(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(rgba, mask=rgba)
    return paper


def _without(photos: Mapping[str, Path], others: Mapping[str, Path]) -> dict[str, Path]:
    return {digest: path for digest, path in photos.items() if digest not in others}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
