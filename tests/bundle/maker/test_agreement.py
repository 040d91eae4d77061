from math import exp, sqrt

import numpy as np
import pytest

from bundle.errors import BundleError
from bundle.maker.agreement import MIN_COUNTED, Logits, check, measure
from bundle.record import Agreement


def drawn(seed: int, photos: int, classes: int, spread: float) -> tuple[Logits, Logits]:
    random = np.random.default_rng(seed)
    expected = random.normal(0, 2, (photos, classes)).astype(np.float32)
    return expected, (expected + random.normal(0, spread, expected.shape)).astype(np.float32)


def slowly(expected: Logits, given: Logits, margin: float) -> Agreement:
    """The same figures, photo by photo and without numpy."""
    counted, same, shared, cosines = 0, 0, 0.0, 0.0
    pairs = list(zip(expected.tolist(), given.tolist(), strict=True))
    for one, other in pairs:
        classes, best = range(len(one)), min(5, len(one))
        orders = [sorted(classes, key=lambda number: -logits[number]) for logits in (one, other)]
        total = sum(exp(logit) for logit in one)
        first, second = (exp(one[number]) / total for number in orders[0][:2])
        if first - second > margin:
            counted += 1
            same += orders[0][0] == orders[1][0]
        shared += len(set(orders[0][:best]) & set(orders[1][:best])) / best
        dot = sum(x * y for x, y in zip(one, other, strict=True))
        cosines += dot / sqrt(sum(x * x for x in one) * sum(y * y for y in other))
    return Agreement(
        photos=len(pairs),
        counted=counted,
        margin=margin,
        top1=same / counted if counted else 0,
        top5=shared / len(pairs),
        cosine=cosines / len(pairs),
    )


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize(("photos", "classes", "spread"), [(1, 2, 0.1), (7, 3, 1.0), (90, 6, 0.5), (200, 40, 2.0)])
def test_the_figures_are_those_of_a_slow_reference(photos: int, classes: int, spread: float, margin: float) -> None:
    expected, given = drawn(photos, photos, classes, spread)
    measured, reference = measure(expected, given, margin), slowly(expected, given, margin)
    assert (measured.photos, measured.counted) == (reference.photos, reference.counted)
    for figure in ("margin", "top1", "top5", "cosine"):
        assert getattr(measured, figure) == pytest.approx(getattr(reference, figure), abs=1e-6), figure


def test_the_same_answers_agree_wholly() -> None:
    expected, _ = drawn(1, 50, 10, 0)
    measured = measure(expected, expected.copy(), 0.05)
    assert (measured.top1, measured.top5) == (1, 1)
    assert measured.cosine == pytest.approx(1)


def test_a_photo_on_which_float32_hesitates_does_not_count() -> None:
    expected = np.log(np.array([[0.52, 0.48], [0.53, 0.47], [0.6, 0.4]], np.float32))
    measured = measure(expected, expected[:, ::-1].copy(), 0.05)
    assert (measured.photos, measured.counted, measured.top1) == (3, 2, 0)


def test_logits_that_are_not_finite_are_refused() -> None:
    expected, given = drawn(1, 3, 4, 0)
    given[1, 2] = np.nan
    with pytest.raises(BundleError, match="answers with numbers that are not finite"):
        measure(expected, given, 0.05)


def test_logits_of_nothing_but_zeros_point_nowhere() -> None:
    expected, _ = drawn(1, 3, 4, 0)
    assert measure(expected, np.zeros_like(expected), 0.05).cosine == 0


def figures(counted: int, top1: float) -> Agreement:
    return Agreement(photos=500, counted=counted, margin=0.05, top1=top1, top5=0.9, cosine=0.99)


def test_just_enough_agreement_on_just_enough_photos_passes() -> None:
    check(figures(MIN_COUNTED, 198 / 200), 0.99)


def test_too_little_agreement_is_refused_with_figure_limit_and_counts() -> None:
    with pytest.raises(BundleError) as refused:
        check(figures(200, 197 / 200), 0.99)
    assert str(refused.value) == (
        "int8: expected the best class of float32 on at least 99.00% of the counted held-out photos, "
        "got 98.50% (197 of 200 counted, 500 held out)"
    )


def test_too_few_counted_photos_are_refused_whatever_they_say() -> None:
    with pytest.raises(BundleError) as refused:
        check(figures(MIN_COUNTED - 1, 1.0), 0.99)
    assert str(refused.value) == (
        "int8: expected at least 200 held-out photos on which float32's best class leads by more than 0.05, "
        "got 199 of 500"
    )
