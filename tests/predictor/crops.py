"""What a transformer would send: photos cut to 224 x 224, and variants of them."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.assets import PHOTOS

Images = NDArray[np.uint8]

CROP = 224


@cache
def photos() -> Images:
    """The assets' photos, `[3, 224, 224, 3]`."""
    names = ("chelsea.png", "coffee.png", "astronaut.png")
    return np.stack([np.asarray(Image.open(PHOTOS / name).convert("RGB").resize((CROP, CROP))) for name in names])


def variants(count: int, seed: int = 0) -> Images:
    """Photos of the assets, each cut, mirrored, lit and blurred with noise at random, `[count, 224, 224, 3]`."""
    chance = np.random.default_rng(seed)
    return np.stack([_variant(photos()[number % 3], chance) for number in range(count)])


def _variant(photo: Images, chance: np.random.Generator) -> Images:
    edge = int(chance.integers(CROP // 2, CROP + 1))
    left, top = (int(start) for start in chance.integers(0, CROP - edge + 1, 2))
    cut = Image.fromarray(photo[top : top + edge, left : left + edge]).resize((CROP, CROP))
    pixels = np.asarray(cut, np.float32)[:, :: chance.choice((-1, 1))] * chance.uniform(0.5, 1.5)
    return (pixels + chance.normal(0, chance.uniform(0, 20), pixels.shape)).clip(0, 255).astype(np.uint8)
