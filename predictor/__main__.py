"""`python -m predictor`: serve a bundle."""

import logging
import sys

from fastapi import FastAPI

from bundle.errors import BundleError
from bundle.reading import Bundle
from bundle.reading import read as read_bundle
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
        engine = open_engine(bundle, settings)
    except BundleError as error:
        raise StartError(str(error)) from error
    if not bundle.record.trained:
        logger.warning("UNTRAINED: these weights were never trained, every answer is noise")
    model = Predictor(settings.model_name, bundle, engine, settings.revision)
    app = FastAPI(title="Image classifier: predictor", version=version.VERSION, docs_url=None, redoc_url=None)
    ModelServer(settings, app).start([model])


def open_engine(bundle: Bundle, settings: PredictorSettings) -> Engine:
    """The engine for a bundle; raises BundleError for weights that were never trained, unless that is allowed."""
    if not bundle.record.trained and not settings.allow_untrained:
        raise BundleError(f"{settings.model_dir}: the weights were never trained; ALLOW_UNTRAINED=true serves them")
    from predictor.torch_engine import TorchEngine  # seconds of import, for good bundles only

    return TorchEngine(bundle, settings.inference_threads)


if __name__ == "__main__":
    sys.exit(main())
