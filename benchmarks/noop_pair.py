"""Both servers around an engine that does nothing: `python -m benchmarks.noop_pair ROLE NOTING …flags`.

ROLE is predictor or transformer, NOTING silent or noting. A silent server notes nothing: what it costs less is what
metrics cost. kserve's own histograms stay in both.
"""

import asyncio
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray
from prometheus_client.metrics import MetricWrapperBase

import predictor.metrics
import serving.metrics
import transformer.metrics
from bundle.reading import Bundle
from bundle.record import Record
from predictor.engine import Engine
from predictor.model import Predictor
from predictor.predictions import Predictions
from predictor.settings import PredictorSettings
from serving.process import run
from serving.recorder import Recorder
from serving.server import ModelServer
from transformer.__main__ import serve as serve_transformer
from transformer.settings import TransformerSettings

CLASSES = 1000
_FILES = {name: {"sha256": "0" * 64, "size_bytes": 0} for name in ("labels.txt", "model.safetensors")}


class Constant(Engine):
    """Gives every image the same probabilities at once."""

    name, precision, device, steps = "constant", "float32", "cpu", (1, 2, 4)

    def __init__(self) -> None:
        weights = np.random.default_rng(0).exponential(size=CLASSES).astype(np.float32)
        self._row = weights / weights.sum()

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.tile(self._row, (len(images), 1))

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "precision": self.precision, "device": self.device}


class _Nothing:
    """In the place of a metric."""

    def labels(self, *_: object) -> Self:
        return self

    def observe(self, *_: object) -> None: ...

    def inc(self, *_: object) -> None: ...

    def set(self, *_: object) -> None: ...

    def clear(self) -> None: ...


async def _never(_: Recorder) -> None:
    await asyncio.Event().wait()


def silence() -> None:
    """Note nothing in this process, from now on."""
    for module in (serving.metrics, predictor.metrics, transformer.metrics):
        _silence(module)
    for owner, name, replacement in (
        (Recorder, "count", lambda *_: None),
        (Recorder, "watch_event_loop", _never),
        (Predictions, "add", lambda *_: None),
    ):
        setattr(owner, name, replacement)


def _silence(module: ModuleType) -> None:
    for name, value in list(vars(module).items()):
        if isinstance(value, MetricWrapperBase):
            setattr(module, name, _Nothing())


def serve_predictor(settings: PredictorSettings) -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    model = Predictor(settings.model_name, _bundle(), Constant(), settings.revision)
    ModelServer(settings, app).start([model])


def _bundle() -> Bundle:
    preset = {"resize": 232, "crop": 224, "interpolation": "bilinear", "mean": (0.0,) * 3, "std": (1.0,) * 3}
    record = Record.model_validate(
        {
            "format_version": 1,
            "architecture": {"name": "none"},
            "version": "constant",
            "trained": True,
            "classes": CLASSES,
            "preprocessing": preset,
            "weights": "model.safetensors",
            "labels": "labels.txt",
            "licence": "",
            "origin": "",
            "files": _FILES,
        }
    )
    return Bundle(Path(), record, tuple(f"class {number}" for number in range(CLASSES)))


def main(role: str, noting: str, *flags: str) -> int:
    """The server's exit code."""
    if noting == "silent":
        silence()
    if role == "predictor":
        return run(PredictorSettings, flags, serve_predictor)
    return run(TransformerSettings, flags, serve_transformer)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
