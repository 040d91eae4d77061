"""What the model says, as metrics: how sure it is, and which classes it sees."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictor import metrics

NAMED_CLASSES = 20
OTHER = "other"
_JUDGED_EVERY = 1000
_TINY = np.finfo(np.float32).tiny


class Predictions:
    """Counts every classified image; of the classes, the most frequent by name.

    A class gets a name with its next image, while fewer than `NAMED_CLASSES` have one; after every 1000 images those
    that are not among the most frequent lose theirs. Each image counts once, for its class or for `other`, so all
    counts only grow; a class that gets its name back begins at 0.
    """

    def __init__(self, labels: Sequence[str], revision: str, model_version: str) -> None:
        self._labels = labels
        self._most_nats = math.log(len(labels))
        self._of_model = revision, model_version
        self._total = metrics.PREDICTIONS.labels(*self._of_model)
        self._confidence = metrics.CONFIDENCE.labels(*self._of_model)
        self._entropy = metrics.ENTROPY.labels(*self._of_model)
        self._other = metrics.CLASS_PREDICTIONS.labels("", OTHER, *self._of_model)
        self._named: set[int] = set()
        self._seen: Counter[int] = Counter()
        self._images = 0

    def add(self, probabilities: NDArray[np.float32]) -> None:
        """Of images, `[N, classes]`; numbers that are none say nothing, and would spoil the sums for ever."""
        probabilities = probabilities[np.isfinite(probabilities).all(axis=1)]
        self._total.inc(len(probabilities))
        for confidence, nats in zip(probabilities.max(axis=1), _entropy_nats(probabilities), strict=True):
            self._confidence.observe(float(confidence))
            self._entropy.observe(float(nats) / self._most_nats)
        for class_id in probabilities.argmax(axis=1).tolist():
            self._count(class_id)

    def _count(self, class_id: int) -> None:
        self._seen[class_id] += 1
        self._images += 1
        if self._images % _JUDGED_EVERY == 0:
            self._judge()
        if class_id in self._named or len(self._named) < NAMED_CLASSES:
            self._named.add(class_id)
            metrics.CLASS_PREDICTIONS.labels(*self._named_as(class_id)).inc()
        else:
            self._other.inc()

    def _judge(self) -> None:
        """Older images count half as much as those of the last thousand."""
        best = {class_id for class_id, _ in self._seen.most_common(NAMED_CLASSES)}
        for class_id in self._named - best:
            metrics.CLASS_PREDICTIONS.remove(*self._named_as(class_id))
        self._named &= best
        self._seen = Counter({class_id: count // 2 for class_id, count in self._seen.items() if count > 1})

    def _named_as(self, class_id: int) -> tuple[str, ...]:
        return str(class_id), self._labels[class_id], *self._of_model


def _entropy_nats(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    entropy: NDArray[np.float32] = -(probabilities * np.log(np.maximum(probabilities, _TINY))).sum(axis=1)
    return entropy
