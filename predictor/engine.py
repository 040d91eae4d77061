"""The seam behind which engines stand."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Engine(ABC):
    """Turns images into probabilities; loaded when it is constructed, called by one thread and never the event loop."""

    name: str
    precision: str

    @abstractmethod
    def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `[N, classes]`, softmax in float32, of RGB images `[N, crop, crop, 3]`."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What `/model/info` tells of the engine."""
