"""A predictor whose engine breaks on white images: `python -m tests.monitoring.live.breakable`."""

import sys
import time
from typing import Any

import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray

from bundle.reading import read as read_bundle
from predictor.__main__ import load
from predictor.engine import Engine
from predictor.model import Predictor
from predictor.settings import PredictorSettings
from serving.process import run
from serving.server import ModelServer

WHITE = 255
BREAKING_SECONDS = 0.05
"""Long enough for other requests to come and wait."""


class Breakable(Engine):
    """Another engine, as long as a batch does not begin with a white image."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.precision, self.device = engine.name, engine.precision, engine.device
        self.steps, self.streams = engine.steps, engine.streams

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if (images[0] == WHITE).all():
            time.sleep(BREAKING_SECONDS)
            raise RuntimeError("a white image")
        return self._engine.run(images)

    def describe(self) -> dict[str, Any]:
        return self._engine.describe()


def serve(settings: PredictorSettings) -> None:
    bundle = read_bundle(settings.model_dir)
    engine, choice = load(bundle, settings)
    model = Predictor(
        settings.model_name,
        bundle,
        Breakable(engine),
        settings.revision,
        reason=choice.reason,
        max_waiting_images=settings.max_waiting_images,
    )
    ModelServer(settings, FastAPI(docs_url=None, redoc_url=None)).start([model])


if __name__ == "__main__":
    sys.exit(run(PredictorSettings, sys.argv[1:], serve))
