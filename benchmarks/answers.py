"""Is what a contender answers right? Held to the reference's answer to the same photo from the same weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from benchmarks.load import Sample
from benchmarks.photos import LARGE
from scripts.errors import RunError

TOP = 5
OK = 200

TOLERANCES: Mapping[str, float] = {"float32": 0.01, "bfloat16": 0.15, "int8": 0.15}
"""How far a confidence may be off, relative to the larger one, from the first that was given in the same precision.

Precisions are not held to each other here: random weights, which the benchmark may run on, make of the smallest
difference another answer (on real weights `bundle` and its tests compare them). For the same reason a contender is held
to its own first answer to a large photo, which it may decode at a smaller scale than that of the file.
"""


class Prediction(BaseModel):
    class_id: int
    confidence: float


class Document(BaseModel):
    """What all contenders answer, as far as it is compared."""

    predictions: list[Prediction]


Best = dict[int, float]
"""Class to confidence, best first."""


def read(body: str, where: str) -> Best:
    """The top five of an answer; raises RunError when it is something else."""
    try:
        best = {each.class_id: each.confidence for each in Document.model_validate_json(body).predictions}
    except ValidationError as error:
        raise RunError(f"{where}: expected predictions, got {body[:200]!r}") from error
    if len(best) != TOP or sorted(best.values(), reverse=True) != list(best.values()):
        raise RunError(f"{where}: expected {TOP} classes, best first, got {best}")
    return best


def agrees(given: Best, expected: Best, tolerance: float) -> bool:
    """The same classes with the same confidences, as near as `tolerance`.

    A class may be missing in one of the two when it is as near to the other's fifth.
    """
    return _covers(given, expected, tolerance) and _covers(expected, given, tolerance)


def _covers(one: Best, other: Best, tolerance: float) -> bool:
    last = min(one.values())
    return all(
        _near(confidence, one[index], tolerance) if index in one else confidence <= last / (1 - tolerance)
        for index, confidence in other.items()
    )


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(one, other)


@dataclass
class Referee:
    """Remembers the first answer to each photo in each precision, and holds all others to it.

    So the contender whose answers are the reference is to be asked every photo before any other.
    """

    _expected: dict[tuple[str, str, int], Best] = field(default_factory=dict)

    def check(self, contender: str, precision: str, photos: str, samples: Sequence[Sample]) -> None:
        """Raises RunError at the first answer that differs; unanswered requests are not judged here."""
        tolerance, school = TOLERANCES[precision], contender if photos == LARGE.name else precision
        for sample in samples:
            if sample.status != OK:
                continue
            where = f"{contender}, photo {sample.photo} of {photos}"
            given = read(sample.body, where)
            expected = self._expected.setdefault((school, photos, sample.photo), given)
            if not agrees(given, expected, tolerance):
                raise RunError(f"{where}: expected {expected} within {tolerance:.0%}, got {given}")
