"""What the model says of images, as metrics: how sure it is, and which classes it sees most."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from predictor.predictions import NAMED_CLASSES, OTHER, Predictions
from tests.serving.scrape import Scrape

CLASSES = 100
LABELS = tuple(f"class {number}" for number in range(CLASSES))
NAMED = "classifier_class_predictions_total"

_versions = itertools.count()


@pytest.fixture
def version() -> str:
    """Of a model that no other test has."""
    return f"version-{next(_versions)}"


def scraped() -> Scrape:
    return Scrape(tuple(sample for family in REGISTRY.collect() for sample in family.samples))


def sure_of(classes: Sequence[int], confidence: float = 0.9) -> NDArray[np.float32]:
    """Images whose best class has that probability; the others share the rest."""
    rows = np.full((len(classes), CLASSES), (1 - confidence) / (CLASSES - 1), np.float32)
    rows[np.arange(len(classes)), classes] = confidence
    return rows


def test_every_image_counts_once_with_its_confidence(version: str) -> None:
    Predictions(LABELS, "cats-1", version).add(sure_of([3, 5, 3], 0.75))
    scrape = scraped()
    model = {"model_version": version, "revision": "cats-1"}
    assert scrape.sum("classifier_predictions_total", **model) == 3
    assert scrape.sum(NAMED, class_id="3", class_label="class 3", **model) == 2
    assert scrape.sum("classifier_top1_confidence_ratio_sum", **model) == pytest.approx(2.25)
    assert scrape.sum("classifier_top1_confidence_ratio_bucket", le="0.7", **model) == 0
    assert scrape.sum("classifier_top1_confidence_ratio_bucket", le="0.8", **model) == 3


@pytest.mark.parametrize(
    ("row", "entropy"),
    [
        (np.full(CLASSES, 1 / CLASSES), 1.0),
        (np.eye(CLASSES)[0], 0.0),
        (np.repeat([0.1, 0.0], [10, CLASSES - 10]), 0.5),
    ],
)
def test_entropy_is_0_when_certain_and_1_when_every_class_is_alike(
    row: NDArray[np.float64], entropy: float, version: str
) -> None:
    Predictions(LABELS, "", version).add(row[None].astype(np.float32))
    assert scraped().sum("classifier_entropy_ratio_sum", model_version=version) == pytest.approx(entropy, abs=1e-5)


def test_numbers_that_are_none_spoil_nothing(version: str) -> None:
    probabilities = sure_of([1, 2], 0.75)
    probabilities[0, 50] = np.nan
    Predictions(LABELS, "", version).add(probabilities)
    assert scraped().sum("classifier_top1_confidence_ratio_sum", model_version=version) == pytest.approx(0.75)
    assert scraped().sum("classifier_predictions_total", model_version=version) == 1


def test_no_more_classes_than_a_few_have_a_name(version: str) -> None:
    Predictions(LABELS, "", version).add(sure_of(range(CLASSES)))
    scrape = scraped()
    assert scrape.series(NAMED, model_version=version) == NAMED_CLASSES + 1
    assert scrape.sum(NAMED, model_version=version) == CLASSES
    assert scrape.sum(NAMED, class_label=OTHER, model_version=version) == CLASSES - NAMED_CLASSES


def test_a_class_that_becomes_frequent_gets_a_name(version: str) -> None:
    predictions = Predictions(LABELS, "", version)
    predictions.add(sure_of(range(CLASSES)))
    assert not scraped().series(NAMED, class_id="99", model_version=version)
    for _ in range(10):
        predictions.add(sure_of([99] * 100))
    scrape = scraped()
    assert scrape.sum(NAMED, class_id="99", model_version=version) > 0
    assert scrape.series(NAMED, model_version=version) <= NAMED_CLASSES + 1


def test_what_is_counted_as_other_never_falls(version: str) -> None:
    random = np.random.default_rng(0)
    predictions = Predictions(LABELS, "", version)
    others = [0.0]
    for _ in range(60):
        favourite = int(random.integers(CLASSES))
        predictions.add(sure_of([favourite] * 30 + random.integers(0, CLASSES, 70).tolist()))
        others.append(scraped().sum(NAMED, class_label=OTHER, model_version=version))
    assert others == sorted(others)
    assert scraped().series(NAMED, model_version=version) <= NAMED_CLASSES + 1


def test_classes_of_the_same_label_are_told_apart(version: str) -> None:
    Predictions(("crane", "crane", "other"), "", version).add(np.eye(3, dtype=np.float32))
    assert scraped().series(NAMED, class_label="crane", model_version=version) == 2
    assert scraped().sum(NAMED, class_id="2", class_label="other", model_version=version) == 1
