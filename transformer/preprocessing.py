"""RGB picture to the predictor's input: the shorter edge to `resize` pixels, then the middle `crop` x `crop`.

Equal bit for bit to torchvision's ImageClassification preset on the same picture, up to its uint8 pixels, if it was
decoded whole.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from oip.contract import Preprocessing
from serving.errors import Refused
from transformer.image import Picture

MAX_ASPECT_RATIO = 4096
"""How many times longer than the shorter edge the longer one may be."""

_FILTERS = {"nearest": Resampling.NEAREST, "bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}

_WHOLE_PIXELS = 4_000_000
"""Up to here (an aspect ratio of 74 at 232 pixels) the resized picture is made as a whole, as torchvision does."""

_ONE = 22
"""Pillow's weights for 8-bit pixels are integers in units of 2**-22 (Resample.c, PRECISION_BITS)."""

_REACH = 3
"""More pixels on either side than bear on an enlarged one: bicubic, the widest filter, reaches two."""

_PERIOD = 2 * _REACH + 1


def enough(preprocessing: Preprocessing) -> int | None:
    """The shorter edge that a photo decoded at a fraction of its size must keep; None where no fraction will do.

    Twice what it is resized to, so that the resizing still has pixels to average. "nearest" averages none.
    """
    return None if preprocessing.interpolation == "nearest" else 2 * preprocessing.resize


def prepare(picture: Picture, preprocessing: Preprocessing, field: str = "image") -> NDArray[np.uint8]:
    """The model's view of a picture, `[crop, crop, 3]`, C-contiguous; black where it is smaller than that.

    Raises Refused for a longer edge of more than 4096 times the shorter one; `field` names the place in its text.

    At 232 and 224 pixels a 12-megapixel photo takes 3 MB besides its own, 4000x3 and 3x4000 take 25 MB, and the
    thinnest, 4096x1, 75 MB and 0.1 s. A picture that is made smaller never takes more than its own memory twice.
    """
    rgb = picture.rgb
    size = _resized(picture.size, preprocessing.resize, field)
    box = _middle(size, preprocessing.crop)
    resample = _FILTERS[preprocessing.interpolation]
    if math.prod(size) <= max(_WHOLE_PIXELS, preprocessing.crop**2, math.prod(rgb.size)):
        return np.array(rgb.resize(size, resample, picture.box).crop(box))
    # Longer than in the file, hence in Pillow always across first and then down (making smaller may swap the two);
    # and decoded whole, as `enough` is twice the size that is wanted here.
    return _wide(rgb, size, box, resample) if size[0] > size[1] else _tall(rgb, size, box, resample)


def _resized(size: tuple[int, int], resize: int, field: str) -> tuple[int, int]:
    width, height = size
    short, long = sorted(size)
    if long > MAX_ASPECT_RATIO * short:
        raise Refused(
            f"{field}: expected a longer edge of at most {MAX_ASPECT_RATIO} times the shorter one, got {width}x{height}"
        )
    scaled = int(resize * long / short)
    return (resize, scaled) if width <= height else (scaled, resize)


def _middle(size: tuple[int, int], crop: int) -> tuple[int, int, int, int]:
    left, top = (_margin(length, crop) for length in size)
    return left, top, left + crop, top + crop


def _margin(length: int, crop: int) -> int:
    """Half of what is cut off, or minus half of what is missing, rounded as torchvision's center_crop does."""
    return round((length - crop) / 2) if length >= crop else -((crop - length) // 2)


def _wide(rgb: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int], resample: int) -> NDArray[np.uint8]:
    """Across only the columns that the crop shows, then down."""
    left, top, right, bottom = box
    taps, weights = _taps(rgb.width, size[0], slice(left, right), resample)
    first, last = int(taps.min()), int(taps.max())
    columns = np.asarray(rgb.crop((first, 0, last + 1, rgb.height))).swapaxes(0, 1)
    across = Image.fromarray(np.ascontiguousarray(_blend(columns, taps - first, weights).swapaxes(0, 1)))
    return np.array(across.resize((across.width, size[1]), resample).crop((0, top, across.width, bottom)))


def _tall(rgb: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int], resample: int) -> NDArray[np.uint8]:
    """Across and then down, only the rows that the crop shows."""
    left, top, right, bottom = box
    taps, weights = _taps(rgb.height, size[1], slice(top, bottom), resample)
    first, last = int(taps.min()), int(taps.max())
    rows = rgb.crop((0, first, rgb.width, last + 1))
    across = rows.resize((size[0], rows.height), resample).crop((left, 0, right, rows.height))
    return _blend(np.asarray(across), taps - first, weights)


def _taps(length: int, resized: int, shown: slice, resample: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Of a line enlarged from `length` to `resized` pixels: which pixels, in which weights, make each one in `shown`.

    Both `[shown, 7]`; a pixel outside the line has weight 0. The weights are Pillow's own, read off from how it
    enlarges lines that are 2**22 in every seventh pixel and 0 elsewhere: its 32-bit sums then round exactly as its
    8-bit weights do.
    """
    pixels = np.arange(length)
    lines = np.zeros((_PERIOD, length), np.int32)
    lines[pixels % _PERIOD, pixels] = 1 << _ONE
    response = np.asarray(Image.fromarray(lines).resize((resized, _PERIOD), resample))[:, shown]
    centres = ((np.arange(shown.start, shown.stop) + 0.5) * length / resized).astype(np.intp)
    taps = centres[:, None] + np.arange(-_REACH, _REACH + 1)
    weights = response[taps % _PERIOD, np.arange(len(centres))[:, None]]
    return taps, weights


def _blend(lines: NDArray[np.uint8], taps: NDArray[np.intp], weights: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Weighted sums of `lines` along the first axis, rounded and clipped as by Pillow."""
    sums: NDArray[np.int64] = (lines[taps] * weights[:, :, None, None]).sum(axis=1) + (1 << (_ONE - 1))
    return (sums >> _ONE).clip(0, 255).astype(np.uint8)
