"""Both servers with a canary beside the stable predictor, and what they need to be asked everything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.assets import PHOTOS
from tests.e2e.processes import Pair, Process, pair
from tests.e2e.relay import Relay
from tests.monitoring.live.slow_photos import SlowPhotos

MODEL = "photos"
MAX_IN_FLIGHT = 4
MAX_WAITING_IMAGES = 64
MAX_JSON_SIZE = 5_000_000
DEADLINE_SECONDS = 3.0
MAX_UPLOAD_SIZE = 1_000_000
MAX_PIXELS = 1_000_000

OF_TRANSFORMER = {  # without a revision, as outside Knative
    "MAX_IN_FLIGHT": str(MAX_IN_FLIGHT),
    "MAX_UPLOAD_SIZE": str(MAX_UPLOAD_SIZE),
    "MAX_IMAGE_PIXELS": str(MAX_PIXELS),
    "REQUEST_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
}
OF_PREDICTOR = {
    "MAX_WAITING_IMAGES": str(MAX_WAITING_IMAGES),
    "MAX_JSON_SIZE": str(MAX_JSON_SIZE),
    "K_REVISION": "photos-predictor-00001",
}
OF_CANARY = OF_PREDICTOR | {"K_REVISION": "photos-predictor-00002", "ALLOW_UNTRAINED": "true"}


@dataclass(frozen=True)
class Stack:
    """`route` leads the transformer to one of the predictors; Knative chooses anew for each request."""

    transformer: Process
    stable: Process
    canary: Process
    route: Relay
    photos: SlowPhotos

    def led_to(self, predictor: Process) -> Pair:
        """The transformer with that predictor behind it."""
        self.route.target = predictor.grpc
        return Pair(predictor, self.transformer, MODEL)


@contextmanager
def stack(bundle: Path, canary_bundle: Path, logs: Path, collector: str) -> Iterator[Stack]:
    """All of it, ready; traces that others have begun go to the collector."""
    photos = SlowPhotos((PHOTOS / "coffee.png").read_bytes())
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_TRACES_SAMPLER_ARG": "0"}
    made = pair(bundle, logs, MODEL, **traces)
    canary = pair(canary_bundle, logs / "canary", MODEL, **traces).predictor
    canary.module = "tests.monitoring.live.breakable"
    route = Relay(made.predictor.grpc)
    to_route = {"PREDICTOR_HOST": route.address, "FETCH_ALLOWED_HOSTS": photos.host}
    settings = ((made.transformer, OF_TRANSFORMER | to_route), (made.predictor, OF_PREDICTOR), (canary, OF_CANARY))
    for process, own in settings:
        process.settings = {**process.settings, **own}
    with photos.running(), route.running(), _running([process for process, _ in settings]):
        yield Stack(made.transformer, made.predictor, canary, route, photos)


@contextmanager
def _running(processes: Sequence[Process]) -> Iterator[None]:
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.until()
        yield
    finally:
        for process in processes:
            process.end()
