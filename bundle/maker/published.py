"""What torchvision publishes for an architecture: weights by name, their preprocessing, classes and licence."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from torchvision.models import WeightsEnum, get_model_weights

from bundle.record import Option, Preset, invalid

Catalogue = Callable[[str], type[WeightsEnum]]
"""From an architecture's name to its published weights; torchvision's own is the default everywhere."""

CATALOGUE: Catalogue = get_model_weights
DEFAULT = "DEFAULT"
"""The name under which torchvision keeps the best weights of every architecture."""


LICENCE = "BSD-3-Clause"
"""Torchvision's, where the weights do not state another."""


def options(architecture: str, crop: int) -> dict[str, Option]:
    """The keyword arguments with which torchvision builds the network that its published weights belong to.

    Those two that have auxiliary heads for training are built without them.
    """
    if architecture in {"googlenet", "inception_v3"}:
        return {"aux_logits": False, "init_weights": False, "transform_input": True}
    if architecture.startswith("vit_"):
        return {"image_size": crop}
    if architecture.startswith("maxvit_"):
        return {"input_size": (crop, crop)}
    return {}


def preset(weights: WeightsEnum, resize: int | None = None, crop: int | None = None) -> Preset:
    """The preprocessing that the weights were published with, other sizes when given."""
    transforms: Any = weights.transforms()  # torchvision types it as a bare callable
    try:
        return Preset(
            resize=transforms.resize_size[0] if resize is None else resize,
            crop=transforms.crop_size[0] if crop is None else crop,
            interpolation=transforms.interpolation.value,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
        )
    except ValidationError as error:
        raise invalid("preprocessing", error) from error
