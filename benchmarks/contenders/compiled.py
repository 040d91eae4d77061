"""The bundle's OpenVINO graph with nothing around it, and decoding with nothing but Pillow."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from predictor.engine import Precision, graph_of
from serving.cores import available_cores, may_pin

TOP = 5
RESAMPLING = {"nearest": Resampling.NEAREST, "bilinear": Resampling.BILINEAR, "bicubic": Resampling.BICUBIC}
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""What is left of a quantised graph in floating point stays float32."""


class Compiled:
    """UINT8 `[batch, crop, crop, 3]` to probabilities, on all cores that this process may use."""

    def __init__(self, bundle: Path, precision: Precision, batch: int = 1) -> None:
        record = json.loads((bundle / "model.json").read_text())
        preset, graph = record["preprocessing"], record["graphs"][graph_of(precision)]
        self.resize, self.crop, self.resampling = preset["resize"], preset["crop"], RESAMPLING[preset["interpolation"]]
        self.labels = (bundle / record["labels"]).read_text().splitlines()
        core = openvino.Core()
        network = core.read_model(bundle / graph["model"], bundle / graph["weights"])
        network.reshape([batch, self.crop, self.crop, 3])
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": available_cores(),
            "ENABLE_CPU_PINNING": may_pin(available_cores()),
        }
        self._request = core.compile_model(network, "CPU", options).create_infer_request()

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """From one thread at a time."""
        found: NDArray[np.float32] = self._request.infer([images], share_inputs=True)[0]
        return found

    def decode(self, photo: bytes) -> NDArray[np.uint8]:
        """`[crop, crop, 3]`, from any thread; a large JPEG at a fraction of its size."""
        file = Image.open(io.BytesIO(photo))
        width, height = file.size
        drafted = file.draft("RGB", (2 * self.resize, 2 * self.resize))
        box = drafted[1] if drafted else (0, 0, width, height)
        image = file.convert("RGB")
        longer = int(self.resize * max(width, height) / min(width, height))
        size = (self.resize, longer) if width <= height else (longer, self.resize)
        left, top = round((size[0] - self.crop) / 2), round((size[1] - self.crop) / 2)
        return np.asarray(image.resize(size, self.resampling, box).crop((left, top, left + self.crop, top + self.crop)))

    def answer(self, probabilities: NDArray[np.float32]) -> dict[str, Any]:
        """The top five of one image's probabilities."""
        best = np.argsort(-probabilities)[:TOP].tolist()
        return {
            "predictions": [
                {"class_id": index, "label": self.labels[index], "confidence": float(probabilities[index])}
                for index in best
            ]
        }
