"""Many pictures out of a few photos: cut, mirrored, lit and with noise, at random but the same ones every time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Images = NDArray[np.uint8]


def photos(paths: Sequence[Path], crop: int) -> Images:
    """The whole photos, `[photos, crop, crop, 3]`."""
    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((crop, crop))) for path in paths])


def variants(originals: Images, count: int, seed: int = 0) -> Images:
    """Of each original in turn, `[count, crop, crop, 3]`."""
    chance = np.random.default_rng(seed)
    return np.stack([_variant(originals[number % len(originals)], chance) for number in range(count)])


def _variant(photo: Images, chance: np.random.Generator) -> Images:
    crop = len(photo)
    edge = int(chance.integers(crop // 2, crop + 1))
    left, top = (int(start) for start in chance.integers(0, crop - edge + 1, 2))
    cut = Image.fromarray(photo[top : top + edge, left : left + edge]).resize((crop, crop))
    pixels = np.asarray(cut, np.float32)[:, :: chance.choice((-1, 1))] * chance.uniform(0.5, 1.5)
    return (pixels + chance.normal(0, chance.uniform(0, 20), pixels.shape)).clip(0, 255).astype(np.uint8)
