"""The catalogue of the predictor: queue, batches, and what the model says."""

from prometheus_client import Counter, Gauge, Histogram

from serving.metrics import STAGE_BUCKETS

_OF_MODEL = ("revision", "model_version")

QUEUE_DEPTH = Gauge("classifier_queue_depth_images", "Images that wait for the engine.")
QUEUE_LIMIT = Gauge("classifier_queue_limit_images", "Images that may wait; what would be more is refused.")
BATCH_SIZE = Histogram(
    "classifier_batch_size_images",
    "Images in a batch, before it is padded.",
    buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
)
BATCH_WAIT = Histogram(
    "classifier_batch_wait_seconds", "Time that the oldest request of a batch waited for it.", buckets=STAGE_BUCKETS
)
BATCH_FAILURES = Counter("classifier_batch_failures", "Batches that the engine failed to run.")
PREDICTIONS = Counter("classifier_predictions", "Images that were classified.", _OF_MODEL)
CONFIDENCE = Histogram(
    "classifier_top1_confidence_ratio",
    "Probability of each image's best class.",
    _OF_MODEL,
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)
ENTROPY = Histogram(
    "classifier_entropy_ratio",
    "Entropy of each image's probabilities: 0 is certain, 1 is every class alike.",
    _OF_MODEL,
    buckets=(0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
CLASS_PREDICTIONS = Counter(
    "classifier_class_predictions",
    "Images by their best class: the most frequent classes by name, all others as other.",
    ("class_id", "class_label", *_OF_MODEL),
)
