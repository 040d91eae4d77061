"""Eight different photos, and the probabilities that torchvision itself gives them."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torchvision.transforms.functional import InterpolationMode, center_crop, normalize, pil_to_tensor, resize

from tests.assets import PHOTOS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Sample:
    """An encoded photo and its pixels."""

    name: str
    data: bytes
    rgb: Image.Image


@cache
def samples() -> tuple[Sample, ...]:
    """The three photos of the assets as they are, then five made from them."""
    originals = [Sample(path.name, path.read_bytes(), Image.open(path).convert("RGB")) for path in _paths()]
    cat, coffee, astronaut = (sample.rgb for sample in originals)
    made = {
        "mirrored cat": ImageOps.mirror(cat),
        "upside-down coffee": ImageOps.flip(coffee),
        "left half of the astronaut": astronaut.crop((0, 0, 256, 512)),
        "dark cat": Image.eval(cat, lambda level: level // 3),
        "inverted astronaut": ImageOps.invert(astronaut),
    }
    return (*originals, *(Sample(name, _png(rgb), rgb) for name, rgb in made.items()))


def _paths() -> list[Path]:
    return [PHOTOS / name for name in ("chelsea.png", "coffee.png", "astronaut.png")]


def _png(rgb: Image.Image) -> bytes:
    buffer = BytesIO()
    rgb.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Reference:
    """torchvision's own network and preset, on a bundle's weights."""

    architecture: str
    weights: Path
    resize: int
    crop: int

    def tensor(self, rgb: Image.Image) -> NDArray[np.uint8]:
        """The preset's pixels, UINT8 `[crop, crop, 3]`."""
        small = center_crop(resize(rgb, [self.resize], InterpolationMode.BILINEAR, antialias=True), [self.crop])
        pixels: NDArray[np.uint8] = pil_to_tensor(small).permute(1, 2, 0).contiguous().numpy()
        return pixels

    def probabilities(self) -> NDArray[np.float32]:
        """Of every sample, `[8, classes]`."""
        network = torchvision.models.get_model(self.architecture, weights=None)
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(self.weights).items()})
        network.eval()
        pixels = torch.from_numpy(np.stack([self.tensor(sample.rgb) for sample in samples()])).permute(0, 3, 1, 2)
        with torch.inference_mode():
            result: NDArray[np.float32] = network(normalize(pixels / 255, MEAN, STD)).softmax(1).numpy()
        return result
