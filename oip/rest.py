"""The protocol over REST: requests and responses as JSON, with tensors in it or, as binary data, behind it.

Specification: https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md) and
https://github.com/triton-inference-server/server (docs/protocol/extension_binary_data.md). Unknown members of a
document are ignored: kserve's client sends `model_name`. Every refusal is an InvalidRequest.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec
import orjson
from msgspec.json import Decoder

from oip.document import Json, decode_json, read_parameters
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.names import check_distinct, check_number, checked_name
from oip.rest_tensor import BinarySection, TensorDocument, read_tensors, tensor_document
from oip.shared_memory import check_not_shared
from oip.tensor import InferRequest, InferResponse, Parameters, RequestedOutput, Tensor

Body = bytes | memoryview
T = TypeVar("T")

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The HTTP header that says how many bytes of a body are JSON; without it, all are."""


class _OutputDocument(msgspec.Struct, gc=False):
    name: str
    parameters: Json = Json()


class _RequestDocument(msgspec.Struct):
    inputs: list[TensorDocument]
    id: str | None = None
    outputs: list[_OutputDocument] | None = None
    parameters: Json = Json()


class _ResponseDocument(msgspec.Struct):
    model_name: str
    outputs: list[TensorDocument]
    model_version: str = ""
    id: str | None = None
    parameters: Json = Json()


_REQUEST = Decoder(_RequestDocument)
_RESPONSE = Decoder(_ResponseDocument)


def decode_request(
    model_name: str, body: Body, header_length: int | None = None, model_version: str = ""
) -> InferRequest:
    """The request of `POST v2/models/{model_name}/infer`; binary tensors are views of `body` where they are aligned."""
    document, binary = _split(_REQUEST, body, header_length)
    if not document.inputs:
        raise mismatch("inputs", "at least one input", "none")
    return InferRequest(
        model_name,
        read_tensors("input", document.inputs, binary),
        model_version,
        document.id,
        _read_requested_outputs(document.outputs or ()),
        _read_flagged("parameters", document.parameters, "binary_data_output"),
    )


def encode_request(request: InferRequest, *, binary: bool) -> tuple[bytes, int | None]:
    """The body and its header length, None when all of it is JSON; `binary` is how the inputs travel."""
    document: dict[str, object] = {} if request.id is None else {"id": request.id}
    document |= _parameters_member(request.parameters)
    tensors = ((tensor, binary) for tensor in request.inputs)
    if request.outputs:
        document["outputs"] = [
            {"name": output.name} | _parameters_member(output.parameters) for output in request.outputs
        ]
    return _joined(document, "input", tensors)


def decode_response(body: Body, header_length: int | None = None) -> InferResponse:
    """A server's response; binary tensors are views of `body` where they are aligned."""
    document, binary = _split(_RESPONSE, body, header_length)
    return InferResponse(
        document.model_name,
        read_tensors("output", document.outputs, binary),
        document.model_version,
        document.id,
        read_parameters("parameters", document.parameters),
    )


def encode_response(response: InferResponse, request: InferRequest) -> tuple[bytes, int | None]:
    """The body and its header length, None when all of it is JSON.

    Gives the response's outputs in its order, each as binary data or JSON as the request asked for it. Raises
    InvalidRequest when it asked for JSON and JSON cannot say the values: FP16, NaN, infinity, bytes that are not UTF-8.
    """
    document: dict[str, object] = {"model_name": response.model_name}
    document |= {"model_version": response.model_version} if response.model_version else {}
    document |= {} if response.id is None else {"id": response.id}
    document |= _parameters_member(response.parameters)
    by_default = request.parameters.get("binary_data_output") is True
    binary = {output.name: output.parameters.get("binary_data", by_default) is True for output in request.outputs}
    tensors = ((tensor, binary.get(tensor.name, by_default)) for tensor in response.outputs)
    return _joined(document, "output", tensors)


def _split(decoder: Decoder[T], body: Body, header_length: int | None) -> tuple[T, BinarySection]:
    view = memoryview(body)
    length = len(view) if header_length is None else header_length
    if not 0 <= length <= len(view):
        raise mismatch(HEADER_LENGTH, f"0 to {len(view)} bytes, the body's length", length)
    return decode_json(decoder, view[:length]), BinarySection(view[length:])


def _joined(document: dict[str, object], kind: str, tensors: Iterable[tuple[Tensor, bool]]) -> tuple[bytes, int | None]:
    documents_and_raws = [tensor_document(kind, tensor, binary=binary) for tensor, binary in tensors]
    document[f"{kind}s"] = [tensor for tensor, _ in documents_and_raws]
    raws = [raw for _, raw in documents_and_raws if raw is not None]
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join((header, *raws)), len(header)) if raws else (header, None)


def _read_requested_outputs(documents: Sequence[_OutputDocument]) -> tuple[RequestedOutput, ...]:
    check_number("outputs", len(documents))
    outputs = tuple(_read_requested(f"outputs[{i}]", document) for i, document in enumerate(documents))
    check_distinct("outputs", (output.name for output in outputs))
    return outputs


def _read_requested(place: str, document: _OutputDocument) -> RequestedOutput:
    name = checked_name(place, document.name)
    field = f"output {excerpt(name)} parameters"
    parameters = _read_flagged(field, document.parameters, "binary_data")
    check_not_shared(field, parameters)
    return RequestedOutput(name, parameters)


def _read_flagged(field: str, text: Json, flag: str) -> Parameters:
    """The parameters, of which one, if given, must be a boolean."""
    parameters = read_parameters(field, text)
    if not isinstance(parameters.get(flag, False), bool):
        raise mismatch(f"{field} '{flag}'", "true or false", excerpt(parameters[flag]))
    return parameters


def _parameters_member(parameters: Parameters) -> dict[str, object]:
    return {"parameters": dict(parameters)} if parameters else {}
