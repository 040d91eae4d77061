"""Weights that never saw a photo but behave like some that did: seeded, with batch norm and last layer calibrated."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bundle import architecture
from bundle.record import Architecture, Preset

_BATCHES = 2
_BATCH_IMAGES = 8

_SPREAD = 2.0
"""Standard deviation of one image's logits: the best of 1000 classes then gets some percent, neither 0.1 nor 100."""


def untrained(wanted: Architecture, classes: int, preset: Preset, seed: int) -> dict[str, Tensor]:
    """The state dict of a freshly drawn network, the same for the same seed on the same machine.

    Its running statistics are those of synthetic images, so that activations neither explode nor vanish, and its
    classes depend on the image.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = architecture.build(wanted, classes).eval()
        batches = [synthetic_images(_BATCH_IMAGES, preset) for _ in range(_BATCHES)]
        calibrate_batch_norm(network, batches)
        calibrate_head(network, torch.cat(batches))
    return network.state_dict()


def synthetic_images(count: int, preset: Preset) -> Tensor:
    """Normalised images `[count, 3, crop, crop]` of noise with as much energy in every octave, as photos have."""
    return (_noise(count, preset.crop) - _per_channel(preset.mean)) / _per_channel(preset.std)


def synthetic_pixels(count: int, crop: int, seed: int = 0) -> NDArray[np.uint8]:
    """The same kind of images before they are normalised, `[count, crop, crop, 3]`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pixels = _noise(count, crop).permute(0, 2, 3, 1).mul(255).round()
    return pixels.to(torch.uint8).numpy().copy()


def _noise(count: int, crop: int) -> Tensor:
    octaves = [2**power for power in range(1, crop.bit_length())]
    noise = sum(
        (functional.interpolate(torch.randn(count, 3, octave, octave), crop, mode="bilinear") for octave in octaves),
        start=torch.randn(count, 1, 1, 1),
    )
    return torch.sigmoid(noise)


def calibrate_batch_norm(network: nn.Module, batches: list[Tensor]) -> None:
    """Replace the running statistics by the plain average over the batches; nothing else runs in training mode."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    if not layers:
        return
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # cumulative average
        layer.train()
    for batch in batches:
        network(batch)
    network.eval()


def calibrate_head(network: nn.Module, images: Tensor) -> None:
    """Draw the last layer anew, centre each class over the images and bring the logits to a spread of `_SPREAD`.

    The last layer of vision transformers starts at zero, which would make all classes equal; and deep features of
    fresh weights differ little between images, so that without centring every image would get the same class.
    """
    _, head = architecture.head(network)
    nn.init.normal_(head.weight, std=head.weight[0].numel() ** -0.5)
    centre = head.bias
    if centre is not None:
        nn.init.zeros_(centre)
        with _recorded(head) as outputs:
            network(images)
        centre.sub_(outputs[0].transpose(0, 1).flatten(1).mean(dim=1))
    logits = network(images)
    scale = _SPREAD / logits.std(dim=1).mean()
    # What follows the last layer is at most a ReLU and a mean, so the logits scale with it.
    head.weight.mul_(scale)
    if centre is not None:
        centre.mul_(scale)


@contextmanager
def _recorded(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What the layer puts out while the context lasts."""
    outputs: list[Tensor] = []
    with layer.register_forward_hook(lambda _layer, _given, output: outputs.append(output)):
        yield outputs


def _per_channel(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).reshape(1, 3, 1, 1)
