"""`python -m predictor`: serve a bundle."""

import logging
import sys

from fastapi import FastAPI

from bundle.errors import BundleError
from bundle.reading import Bundle
from bundle.reading import read as read_bundle
from predictor.choice import Choice, Machine, choose, open_engine
from predictor.engine import Engine
from predictor.model import Predictor
from predictor.settings import PredictorSettings
from serving import version
from serving.process import StartError, run
from serving.server import ModelServer

logger = logging.getLogger(__name__)


def main() -> int:
    return run(PredictorSettings, sys.argv[1:], serve)


def serve(settings: PredictorSettings) -> None:
    """Verify the bundle before anything listens, then serve it."""
    try:
        bundle = read_bundle(settings.model_dir)
        engine, choice = load(bundle, settings)
    except BundleError as error:
        raise StartError(str(error)) from error
    model = Predictor(
        settings.model_name,
        bundle,
        engine,
        settings.revision,
        reason=choice.reason,
        max_waiting_images=settings.max_waiting_images,
        max_wait_ms=settings.max_wait_ms,
    )
    app = FastAPI(title="Image classifier: predictor", version=version.VERSION, docs_url=None, redoc_url=None)
    ModelServer(settings, app).start([model])


def load(bundle: Bundle, settings: PredictorSettings) -> tuple[Engine, Choice]:
    """The engine for a bundle, and why it is this one.

    Raises BundleError for weights that were never trained, unless that is allowed.
    """
    if not bundle.record.trained:
        if not settings.allow_untrained:
            raise BundleError(f"{settings.model_dir}: the weights were never trained; ALLOW_UNTRAINED=true serves them")
        logger.warning("UNTRAINED: these weights were never trained, every answer is noise")
    choice = choose(bundle.record.graphs, settings, Machine())
    logger.info("engine: %s", choice)
    return open_engine(choice, bundle, settings), choice


if __name__ == "__main__":
    sys.exit(main())
