"""The seam behind which engines stand."""

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bundle.record import Precision as GraphPrecision

Precision = Literal["float32", "bfloat16", "float16", "int8"]
"""Of the computation."""


class Engine(ABC):
    """Turns images into probabilities, a batch of a fixed size at a time; loaded when it is constructed.

    `steps` are the sizes that it runs, ascending from 1. Up to `streams` threads may call `run` side by side, never the
    event loop; the GIL is free while it computes.
    """

    name: str
    precision: Precision
    device: str
    steps: tuple[int, ...]
    streams: int = 1

    @abstractmethod
    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `[N, classes]`, softmax in float32, of RGB images `[N, crop, crop, 3]`; N is one of `steps`."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What `/model/info` tells of the engine."""


def graph_of(precision: Precision) -> GraphPrecision:
    """Which graph of a bundle it is computed with."""
    return "int8" if precision == "int8" else "float32"


def steps_to(top: int) -> tuple[int, ...]:
    """The powers of two below `top`, then `top`: no batch is padded to more than twice its size."""
    return (*(1 << power for power in range((top - 1).bit_length())), top)
