"""The catalogue of the transformer: photos, fetches, and the predictor as it is called."""

from prometheus_client import Counter, Gauge, Histogram

from serving import errors
from serving.metrics import LATENCY_BUCKETS

IMAGES = Counter(
    "classifier_images", "Photos that were decoded, by where they came from: upload, base64 or url.", ("source",)
)
IMAGE_BYTES = Histogram(
    "classifier_image_size_bytes",
    "Encoded size of the photos that were decoded.",
    buckets=tuple(float(1 << power) for power in range(12, 25)),
)
IMAGE_PIXELS = Histogram(
    "classifier_image_size_pixels",
    "Width times height of the photos that were decoded.",
    buckets=(1e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6, 8e6, 12e6, 16e6, 25e6, 50e6, 100e6),
)
IMAGES_REJECTED = Counter("classifier_images_rejected", "Photos that were refused, by the error's code.", ("reason",))
DECODE_QUEUE_DEPTH = Gauge("classifier_decode_queue_depth_images", "Photos that wait for a thread to be decoded.")
FETCHES = Counter(
    "classifier_fetches", "Photos fetched from URLs: success, cancelled, or the error's code.", ("outcome",)
)
PREDICTOR_CALLS = Counter(
    "classifier_predictor_calls",
    "Calls to the predictor: success, cancelled, its refusal by code, or why there was no answer; revision and version "
    "as the predictor said.",
    ("outcome", "revision", "model_version"),
)
PREDICTOR_CALL_DURATION = Histogram(
    "classifier_predictor_call_duration_seconds",
    "Time of a call to the predictor that was answered.",
    ("revision", "model_version"),
    buckets=LATENCY_BUCKETS,
)

SUCCESS, CANCELLED = "success", "cancelled"
SOURCES = ("upload", "base64", "url")

_REJECTIONS = (
    errors.BadInput, errors.UnsupportedMedia, errors.Refused, errors.TooLarge, errors.FetchFailed
)  # fmt: skip
_FETCH_FAILURES = (errors.BadInput, errors.TooLarge, errors.FetchFailed)
_CALL_FAILURES = (
    errors.BadInput, errors.BadPrediction, errors.ContractMismatch, errors.DeadlineExceeded, errors.InternalError,
    errors.ModelNotFound, errors.NotReady, errors.Overloaded, errors.PredictorUnavailable,
)  # fmt: skip


def expect() -> None:
    """Give every series that is known beforehand its 0: one that appears with its first event has no rate of it."""
    for source in SOURCES:
        IMAGES.labels(source)
    for error in _REJECTIONS:
        IMAGES_REJECTED.labels(error.code)
    for outcome in (SUCCESS, CANCELLED, *(error.code for error in _FETCH_FAILURES)):
        FETCHES.labels(outcome)
    expect_predictor("", "")


def forget_predictor(origin: tuple[str, str]) -> None:
    """Its series, by revision and version of the model."""
    revision, model_version = origin
    for metric in (PREDICTOR_CALLS, PREDICTOR_CALL_DURATION):
        metric.remove_by_labels({"revision": revision, "model_version": model_version})


def expect_predictor(revision: str, model_version: str) -> None:
    """The same of a predictor that was met; of one that never answers both are empty."""
    for outcome in (SUCCESS, CANCELLED, *(error.code for error in _CALL_FAILURES)):
        PREDICTOR_CALLS.labels(outcome, revision, model_version)
