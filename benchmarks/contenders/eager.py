"""ResNet50, or what the bundle names, as most people run it: torchvision's model and preset, eager, float32."""

import io
import json
from pathlib import Path
from typing import Any

import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from torchvision.transforms._presets import ImageClassification
from torchvision.transforms.functional import InterpolationMode

TOP = 5


class Eager:
    """A photo in, the top five out."""

    def __init__(self, bundle: Path) -> None:
        record = json.loads((bundle / "model.json").read_text())
        architecture, preset = record["architecture"], record["preprocessing"]
        build = torchvision.models.get_model
        self.model = build(architecture["name"], num_classes=record["classes"], **architecture["options"]).eval()
        self.model.load_state_dict(load_file(bundle / record["weights"]))
        self.labels = (bundle / record["labels"]).read_text().splitlines()
        self.preprocess = ImageClassification(
            crop_size=preset["crop"],
            resize_size=preset["resize"],
            mean=preset["mean"],
            std=preset["std"],
            interpolation=InterpolationMode(preset["interpolation"]),
        )

    def __call__(self, photo: bytes) -> dict[str, Any]:
        image = Image.open(io.BytesIO(photo)).convert("RGB")
        with torch.no_grad():
            probabilities = self.model(self.preprocess(image).unsqueeze(0)).softmax(1)[0]
        best = probabilities.topk(TOP)
        return {
            "predictions": [
                {"class_id": index, "label": self.labels[index], "confidence": confidence}
                for index, confidence in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ]
        }
