"""What a transformer would send: photos cut to 224 x 224, and variants of them."""

from functools import cache

from benchmarks import variants as made
from benchmarks.variants import Images
from tests.assets import PHOTOS

CROP = 224


@cache
def photos() -> Images:
    """The assets' photos, `[3, 224, 224, 3]`."""
    return made.photos([PHOTOS / name for name in ("chelsea.png", "coffee.png", "astronaut.png")], CROP)


def variants(count: int, seed: int = 0) -> Images:
    """Variants of the assets' photos, `[count, 224, 224, 3]`."""
    return made.variants(photos(), count, seed)
