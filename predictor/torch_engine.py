"""torch in float32: the reference that other engines are compared with. The only module here that imports torch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bundle import architecture
from bundle.reading import Bundle
from predictor.engine import Engine


class TorchEngine(Engine):
    """A torchvision classifier on the CPU; raises BundleError when the weights are not the architecture's."""

    name = "torch"
    precision = "float32"

    def __init__(self, bundle: Bundle, threads: int) -> None:
        torch.set_num_threads(threads)
        preprocessing = bundle.record.preprocessing
        self._mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std).view(1, 3, 1, 1)
        self._network = architecture.load(bundle)

    @torch.inference_mode()
    def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        # torch warns of arrays that it could write to although they are read-only, as those of a request are
        batch = torch.from_numpy(np.require(images, requirements="W")).permute(0, 3, 1, 2)
        logits = self._network((batch.float() / 255 - self._mean) / self._std)
        probabilities: NDArray[np.float32] = torch.softmax(logits.float(), dim=1).numpy()
        return probabilities

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "version": torch.__version__, "precision": self.precision, "device": "cpu"}
