"""The contract between transformer and predictor: the one place where names, shapes and preprocessing stand."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from oip.errors import mismatch
from oip.excerpt import excerpt

VERSION = 1

INPUT = "image"
"""Predictor input: UINT8 `[-1, crop, crop, 3]`, RGB, resized and cropped, not normalised."""

OUTPUT = "probabilities"
"""Predictor output: FP32 `[-1, classes]`, softmax in float32; BYTES `[-1, k]` when asked for with `classification`."""

CLASSIFICATION = "classification"
"""Parameter of a requested output: give the best k as `value:index:label` (Triton's classification extension)."""

FINGERPRINT = "fingerprint"
"""Request and response parameter, and parameter of the model's config."""

MODEL_INFO = "model_info"
"""Parameter of the model's config: what the predictor answers on `/model/info`, as JSON text."""

MAX_IMAGES = 64
"""Images that one request may carry, on every door."""

Interpolation = Literal["nearest", "bilinear", "bicubic"]

_FINGERPRINT = re.compile(
    r"(?P<version>[0-9]{1,9})-(?P<interpolation>nearest|bilinear|bicubic)-(?P<resize>[0-9]{1,9})-(?P<crop>[0-9]{1,9})"
)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes the predictor's input: shorter edge to `resize` pixels, then the middle `crop` x `crop`."""

    resize: int
    crop: int
    interpolation: Interpolation = "bilinear"

    @property
    def fingerprint(self) -> str:
        """Contract version and preprocessing as one short string, such as `1-bilinear-232-224`."""
        return f"{VERSION}-{self.interpolation}-{self.resize}-{self.crop}"

    @classmethod
    def from_fingerprint(cls, text: str) -> Self:
        """Read a fingerprint back; raises InvalidRequest when it is malformed or of another contract version."""
        match = _FINGERPRINT.fullmatch(text)
        if match is None:
            raise mismatch(FINGERPRINT, "VERSION-INTERPOLATION-RESIZE-CROP", excerpt(text))
        if int(match["version"]) != VERSION:
            raise mismatch(FINGERPRINT, f"contract version {VERSION}", f"version {match['version']}")
        interpolation: Interpolation = match["interpolation"]  # type: ignore[assignment]  # the pattern allows no other
        return cls(int(match["resize"]), int(match["crop"]), interpolation)
