"""A bundle of a few hundred bytes, written by hand, that reading must take; and ways to break it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

LABELS = ("crane", "crane", "bow: tie", "čačkalica")


def write(directory: Path, labels: tuple[str, ...] = LABELS) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "labels.txt").write_text("\n".join(labels) + "\n", "utf-8")
    save_file({"fc.weight": np.ones((4, 3), np.float32), "fc.count": np.array([7])}, directory / "model.safetensors")
    record = {
        "format_version": 1,
        "architecture": {"name": "googlenet", "options": {"transform_input": True}},
        "version": "IMAGENET1K_V1",
        "trained": True,
        "classes": 4,
        "preprocessing": {
            "resize": 256,
            "crop": 224,
            "interpolation": "bicubic",
            "mean": [0.5, 0.4, 0.3],
            "std": [0.2, 0.2, 0.2],
        },
        "weights": "model.safetensors",
        "labels": "labels.txt",
        "licence": "BSD-3-Clause",
        "origin": "https://example.org/googlenet.pth",
        "files": {name: stated(directory / name) for name in ("labels.txt", "model.safetensors")},
    }
    (directory / "model.json").write_text(json.dumps(record))
    return directory


AGREEMENT = {"photos": 300, "counted": 250, "margin": 0.05, "top1": 0.996, "top5": 0.95, "cosine": 0.9998}


def add_graphs(directory: Path) -> Path:
    """Files in the place of graphs, and what the record says of them."""
    (directory / "openvino").mkdir()
    for name in ("float32", "int8"):
        for suffix in (".xml", ".bin"):
            (directory / "openvino" / f"{name}{suffix}").write_text(f"{name} {suffix}")
            change(directory, f"files|openvino/{name}{suffix}", stated(directory / "openvino" / f"{name}{suffix}"))
    graphs = {
        name: {"model": f"openvino/{name}.xml", "weights": f"openvino/{name}.bin"} for name in ("float32", "int8")
    }
    change(directory, "graphs", {"float32": graphs["float32"], "int8": {**graphs["int8"], "agreement": AGREEMENT}})
    return directory


def stated(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}


def change(directory: Path, field: str, value: object) -> None:
    """Set a field of `model.json`; dots (or slashes, or bars) lead into its parts."""
    record = json.loads((directory / "model.json").read_text())
    separator = next((each for each in "|/" if each in field), ".")
    *parents, last = field.split(separator)
    part: dict[str, Any] = record
    for parent in parents:
        part = part[parent]
    part[last] = value
    (directory / "model.json").write_text(json.dumps(record))


def rewrite(directory: Path, name: str, content: bytes) -> None:
    """Replace a file and state the new one's size and digest."""
    (directory / name).write_bytes(content)
    change(directory, f"files/{name}", stated(directory / name))
