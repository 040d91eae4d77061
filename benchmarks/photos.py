"""Photos to load servers with: seeded, the same bytes on every machine with the same Pillow, none like another.

Octaves of smooth noise (as much energy in each, as in photos), hard edges over them and grain, in JPEG quality 90 with
4:2:0 chroma, which is what phones and cameras write: some 0.3 bytes a pixel.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.Image import Resampling

QUALITY = 90
OCTAVES = (2, 3, 6, 12, 24, 48, 96)
"""Cells of noise along each edge."""

AMPLITUDE, FADE = 60.0, 0.72
"""Grey levels of the coarsest octave, and how much weaker each finer one is."""

GRAIN = 5.0
"""Standard deviation of the sensor's noise in grey levels."""

SHAPES = 12


@dataclass(frozen=True)
class Photos:
    """So many photos of one size."""

    width: int
    height: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}"

    def jpegs(self) -> list[bytes]:
        """Encoded; those of one size differ in every pixel."""
        return [jpeg(self.width, self.height, seed) for seed in range(self.count)]


SMALL = Photos(640, 480, 8)
LARGE = Photos(4000, 3000, 3)


def jpeg(width: int, height: int, seed: int) -> bytes:
    """One photo."""
    buffer = io.BytesIO()
    photo(width, height, seed).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def photo(width: int, height: int, seed: int) -> Image.Image:
    """Its pixels before compression."""
    random = np.random.default_rng(seed)
    levels = np.full((height, width, 3), random.uniform(70, 180, 3), np.float32)
    for power, cells in enumerate(OCTAVES):
        noise = random.normal(0, AMPLITUDE * FADE**power, (cells, cells, 3)).astype(np.float32)
        levels += _enlarged(noise, width, height)
    scene = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    _draw_shapes(scene, random)
    grain = GRAIN * random.standard_normal((height, width, 1), dtype=np.float32)
    return Image.fromarray((np.asarray(scene) + grain).clip(0, 255).astype(np.uint8))


def _enlarged(noise: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    planes = [Image.fromarray(noise[:, :, channel]) for channel in range(3)]
    return np.stack([np.asarray(plane.resize((width, height), Resampling.BICUBIC)) for plane in planes], axis=-1)


def _draw_shapes(scene: Image.Image, random: np.random.Generator) -> None:
    canvas = ImageDraw.Draw(scene)
    for _ in range(SHAPES):
        across, down = np.sort(random.integers(0, scene.width, 2)), np.sort(random.integers(0, scene.height, 2))
        colour = tuple(int(level) for level in random.integers(0, 256, 3))
        draw = canvas.ellipse if random.random() < 0.5 else canvas.rectangle
        draw((int(across[0]), int(down[0]), int(across[1]), int(down[1])), outline=colour, width=1 + scene.width // 160)
