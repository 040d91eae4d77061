"""What a client gets: the best classes of each photo, in each door's form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oip.contract import FINGERPRINT
from oip.datatypes import DTYPES
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.tensor import InferRequest, InferResponse, RequestedOutput, Tensor, TensorMetadata, bytes_array
from transformer.request import wants_classes

CLASS_ID, LABEL, CONFIDENCE = "class_id", "label", "confidence"
OUTPUTS = (
    TensorMetadata(CLASS_ID, "INT64", (-1, -1)),
    TensorMetadata(LABEL, "BYTES", (-1, -1)),
    TensorMetadata(CONFIDENCE, "FP32", (-1, -1)),
)
_ALL = tuple(RequestedOutput(output.name) for output in OUTPUTS)
_DATATYPES = {output.name: output.datatype for output in OUTPUTS}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class of one photo."""

    class_id: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ClassifyResponse:
    """The best classes of each photo, best first, in the request's order; every photo has as many."""

    model_name: str
    model_version: str
    fingerprint: str
    revision: str
    photos: Sequence[Sequence[Prediction]]


def to_v1(response: ClassifyResponse) -> dict[str, Any]:
    return {"predictions": [[_document(prediction) for prediction in photo] for photo in response.photos]}


def _document(prediction: Prediction) -> dict[str, Any]:
    """Spelled out: `asdict` copies deeply, which a thousand classes of 64 photos would feel."""
    return {CLASS_ID: prediction.class_id, LABEL: prediction.label, CONFIDENCE: prediction.confidence}


def to_v2(response: ClassifyResponse, request: InferRequest) -> InferResponse:
    """The outputs that were asked for, in that order, or all three."""
    return InferResponse(
        model_name=response.model_name,
        model_version=response.model_version,
        id=request.id,
        outputs=tuple(_tensor(response, output) for output in request.outputs or _ALL),
        parameters={FINGERPRINT: response.fingerprint, "revision": response.revision},
    )


def check_outputs(request: InferRequest) -> None:
    """Raise InvalidRequest for outputs that there are not; called before any photo is decoded."""
    for output in request.outputs:
        if output.name not in _DATATYPES:
            raise mismatch("outputs", f"some of {', '.join(_DATATYPES)}", excerpt(output.name))
        if wants_classes(output) and output.name != CONFIDENCE:
            raise mismatch(f"output {output.name}", f"classification of {CONFIDENCE} only", "classification")


def _tensor(response: ClassifyResponse, output: RequestedOutput) -> Tensor:
    shape = (len(response.photos), len(response.photos[0]))
    flat = [prediction for photo in response.photos for prediction in photo]
    if wants_classes(output):
        lines = [f"{each.confidence}:{each.class_id}:{each.label}".encode() for each in flat]
        return Tensor(output.name, "BYTES", bytes_array(lines, shape))
    if output.name == LABEL:
        return Tensor(output.name, "BYTES", bytes_array([each.label.encode() for each in flat], shape))
    values = [getattr(each, output.name) for each in flat]
    datatype = _DATATYPES[output.name]
    return Tensor(output.name, datatype, np.array(values, DTYPES[datatype]).reshape(shape))
