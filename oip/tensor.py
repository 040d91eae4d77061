"""Requests, responses and tensors of the Open Inference Protocol, as values that know no transport.

Specification: https://github.com/kserve/open-inference-protocol (REST and gRPC share these terms).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Parameter = bool | int | float | str
Parameters = Mapping[str, Parameter]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named array. BYTES tensors hold an object array of `bytes`; `array.shape` is the tensor's shape.

    `from_json` says that the values came as JSON, which cannot carry arbitrary bytes: there a BYTES element is text.
    """

    name: str
    datatype: str
    array: NDArray[Any]
    parameters: Parameters = field(default_factory=dict)
    from_json: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape


@dataclass(frozen=True, slots=True)
class RequestedOutput:
    """An output that the client asks for, by name, with parameters such as `binary_data` or `classification`."""

    name: str
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class InferRequest:
    """One inference request. `id` is None, `model_version` empty when the client gave none; no `outputs` means all."""

    model_name: str
    inputs: tuple[Tensor, ...]
    model_version: str = ""
    id: str | None = None
    outputs: tuple[RequestedOutput, ...] = ()
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class InferResponse:
    """One inference response; `id` repeats the request's, and is None when the client gave none."""

    model_name: str
    outputs: tuple[Tensor, ...]
    model_version: str = ""
    id: str | None = None
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """Name, datatype and shape of a model's input or output; -1 stands for a dimension that may vary."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What the metadata doors tell of a model."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


def bytes_array(values: list[bytes], shape: tuple[int, ...] | None = None) -> NDArray[np.object_]:
    """A BYTES array: numpy's own constructor would guess a fixed-width string type and drop trailing zero bytes."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array if shape is None else array.reshape(shape)
