"""Random tensors, requests and responses of the protocol."""

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from oip.datatypes import BYTES, DTYPES
from oip.tensor import InferRequest, InferResponse, Parameters, RequestedOutput, Tensor, bytes_array

RESERVED = {"binary_data", "binary_data_output", "binary_data_size"}

names = st.text(min_size=1, max_size=12)
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def parameters() -> st.SearchStrategy[Parameters]:
    values = st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    return st.dictionaries(names.filter(lambda name: name not in RESERVED), values | st.text(max_size=12), max_size=3)


@st.composite
def arrays(draw: st.DrawFn, datatype: str, *, as_json: bool) -> NDArray[Any]:
    """Any array of the datatype or, for JSON, any that JSON can say."""
    shape = draw(shapes)
    if datatype != BYTES:
        dtype = DTYPES[datatype]
        finite = hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False)
        return draw(hnp.arrays(dtype, shape, elements=finite if as_json else hnp.from_dtype(dtype)))
    elements = st.text(max_size=6).map(str.encode) if as_json else st.binary(max_size=6)
    count = math.prod(shape)
    return bytes_array(draw(st.lists(elements, min_size=count, max_size=count)), shape)


@st.composite
def tensors(draw: st.DrawFn, *, as_json: bool) -> tuple[Tensor, ...]:
    """Up to three tensors of distinct names; FP16 only where they travel as bytes."""
    datatypes = st.sampled_from([name for name in DTYPES if not (as_json and name == "FP16")])
    distinct = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    return tuple(
        Tensor(name, datatype, draw(arrays(datatype, as_json=as_json)), draw(parameters()))
        for name in distinct
        for datatype in [draw(datatypes)]
    )


@st.composite
def requests(draw: st.DrawFn, *, as_json: bool) -> InferRequest:
    outputs = draw(st.lists(names, max_size=2, unique=True))
    return InferRequest(
        draw(names),
        draw(tensors(as_json=as_json)),
        draw(st.text(max_size=4)),
        draw(st.none() | st.text(max_size=8)),
        tuple(RequestedOutput(name, draw(parameters())) for name in outputs),
        draw(parameters()),
    )


@st.composite
def responses(draw: st.DrawFn, *, as_json: bool) -> InferResponse:
    return InferResponse(
        draw(names),
        draw(tensors(as_json=as_json)),
        draw(st.text(max_size=4)),
        draw(st.none() | st.text(max_size=8)),
        draw(parameters()),
    )


def facts(message: InferRequest | InferResponse) -> tuple[object, ...]:
    """All that a message says, comparable; tensors by the bits of their values."""
    tensors = message.inputs if isinstance(message, InferRequest) else message.outputs
    requested = message.outputs if isinstance(message, InferRequest) else ()
    return (
        message.model_name,
        message.model_version,
        message.id,
        message.parameters,
        [tensor_facts(tensor) for tensor in tensors],
        requested,
    )


def tensor_facts(tensor: Tensor) -> tuple[object, ...]:
    bits = tensor.array.tolist() if tensor.datatype == BYTES else tensor.array.tobytes()
    return (tensor.name, tensor.datatype, tensor.shape, tensor.array.dtype, bits, tensor.parameters)


def tensor(name: str, datatype: str, values: Any) -> Tensor:
    """A tensor of plain values."""
    if datatype == BYTES:
        return Tensor(name, datatype, bytes_array(values))
    return Tensor(name, datatype, np.array(values, DTYPES[datatype]))
