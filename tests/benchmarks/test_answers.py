"""Which answers count as right."""

import json

import pytest

from benchmarks.answers import Best, Referee, agrees, read
from benchmarks.load import Sample
from benchmarks.photos import LARGE
from scripts.errors import RunError

BEST = {7: 0.5, 3: 0.2, 9: 0.1, 1: 0.05, 4: 0.04}


def changed(*, without: int | None = None, **confidences: float) -> Best:
    found = BEST | {int(name[1:]): value for name, value in confidences.items()}
    return dict(sorted(((k, v) for k, v in found.items() if k != without), key=lambda item: -item[1]))


def document(best: Best) -> str:
    return json.dumps({"predictions": [{"class_id": index, "confidence": value} for index, value in best.items()]})


def sample(best: Best, photo: int = 0, status: int = 200) -> Sample:
    return Sample(photo, 0, 0.1, status, document(best))


def test_an_answer_is_read_as_classes_and_confidences() -> None:
    assert read(document(BEST), "here") == BEST


@pytest.mark.parametrize("body", ["", "[]", '{"predictions": [{"class_id": 1}]}', document({1: 0.5})])
def test_anything_else_than_five_classes_stops_the_benchmark(body: str) -> None:
    with pytest.raises(RunError, match="here: expected"):
        read(body, "here")


def test_classes_that_are_not_best_first_stop_the_benchmark() -> None:
    with pytest.raises(RunError, match="best first"):
        read(document(dict(reversed(BEST.items()))), "here")


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (BEST, True),
        (changed(_7=0.504), True),
        (changed(_7=0.52), False),
        (changed(without=4, _8=0.0401), True),
        (changed(without=4, _8=0.045), False),
        (changed(without=7, _8=0.5), False),
        (changed(_1=0.0405, _4=0.0404), False),
    ],
    ids=["same", "near", "too far", "fifth and sixth swapped", "another fifth", "another first", "one is off"],
)
def test_answers_agree_when_their_confidences_do(given: Best, verdict: bool) -> None:
    assert agrees(given, BEST, 0.01) is verdict
    assert agrees(BEST, given, 0.01) is verdict


def test_the_first_answer_to_a_photo_is_what_others_are_held_to() -> None:
    referee = Referee()
    referee.check("plain", "float32", "640x480", [sample(BEST)])
    with pytest.raises(RunError, match=r"ours float32, photo 0 of 640x480: expected .* within 1%"):
        referee.check("ours float32", "float32", "640x480", [sample(changed(_7=0.6))])


def test_bfloat16_may_differ_more() -> None:
    referee = Referee()
    referee.check("ours bfloat16", "bfloat16", "640x480", [sample(BEST)])
    referee.check("strong", "bfloat16", "640x480", [sample(changed(_7=0.45))])
    with pytest.raises(RunError):
        referee.check("strong", "bfloat16", "640x480", [sample(changed(_7=0.3))])


def test_each_precision_is_held_to_its_own_first_answer() -> None:
    referee = Referee()
    referee.check("plain", "float32", "640x480", [sample(BEST)])
    referee.check("ours int8", "int8", "640x480", [sample(changed(_7=0.9))])
    with pytest.raises(RunError):
        referee.check("ours int8", "int8", "640x480", [sample(BEST)])


def test_each_photo_has_answers_of_its_own() -> None:
    referee = Referee()
    referee.check("plain", "float32", "640x480", [sample(BEST), sample(changed(_7=0.9), photo=1)])


def test_a_large_photo_may_be_decoded_at_a_smaller_scale_always_the_same() -> None:
    referee = Referee()
    referee.check("plain", "float32", LARGE.name, [sample(BEST)])
    referee.check("ours float32", "float32", LARGE.name, [sample(changed(_7=0.4))])
    with pytest.raises(RunError):
        referee.check("ours float32", "float32", LARGE.name, [sample(BEST)])


def test_refused_requests_are_not_judged_here() -> None:
    referee = Referee()
    referee.check("plain", "float32", "640x480", [sample(BEST), Sample(0, 0, 0.1, 503, "busy")])
