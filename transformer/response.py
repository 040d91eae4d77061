"""What a client gets: the best classes of each photo, in each door's form."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.tensor import InferRequest, InferResponse, Tensor, TensorMetadata, bytes_array

OUTPUTS = (
    TensorMetadata("class_id", "INT64", (-1, -1)),
    TensorMetadata("label", "BYTES", (-1, -1)),
    TensorMetadata("confidence", "FP32", (-1, -1)),
)


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
    revision: str
    photos: Sequence[Sequence[Prediction]]


def to_v1(response: ClassifyResponse) -> dict[str, Any]:
    return {"predictions": [[asdict(prediction) for prediction in photo] for photo in response.photos]}


def to_v2(response: ClassifyResponse, request: InferRequest) -> InferResponse:
    """The outputs that were asked for, in that order, or all three; raises InvalidRequest for an unknown one."""
    shape = (len(response.photos), len(response.photos[0]))
    flat = [prediction for photo in response.photos for prediction in photo]
    tensors = {
        "class_id": np.array([prediction.class_id for prediction in flat], np.int64).reshape(shape),
        "label": bytes_array([prediction.label.encode() for prediction in flat], shape),
        "confidence": np.array([prediction.confidence for prediction in flat], np.float32).reshape(shape),
    }
    names = requested_outputs(request)
    datatypes = {output.name: output.datatype for output in OUTPUTS}
    return InferResponse(
        model_name=response.model_name,
        model_version=response.model_version,
        id=request.id,
        outputs=tuple(Tensor(name, datatypes[name], tensors[name]) for name in names),
        parameters={"revision": response.revision} if response.revision else {},
    )


def requested_outputs(request: InferRequest) -> list[str]:
    """Names of the wanted outputs; checked before any photo is decoded."""
    known = [output.name for output in OUTPUTS]
    names = [output.name for output in request.outputs] or known
    if unknown := [name for name in names if name not in known]:
        raise mismatch("outputs", f"some of {', '.join(known)}", excerpt(unknown[0]))
    return names
