"""The protocol over REST: requests and responses as JSON, with tensors in it or, as binary data, behind it.

Specification: https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md) and
https://github.com/triton-inference-server/server (docs/protocol/extension_binary_data.md). Unknown members of a
document are ignored: kserve's client sends `model_name`. Every refusal is an InvalidRequest.
"""

from collections.abc import Iterable

import orjson

from oip.document import JsonObject, parse_json, read_list, read_object, read_parameters, read_string, required
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.names import check_distinct, checked_name
from oip.rest_tensor import BinarySection, read_tensors, tensor_document
from oip.tensor import InferRequest, InferResponse, Parameters, RequestedOutput, Tensor

Body = bytes | memoryview

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The HTTP header that says how many bytes of a body are JSON; without it, all are."""


def decode_request(
    model_name: str, body: Body, header_length: int | None = None, model_version: str = ""
) -> InferRequest:
    """The request of `POST v2/models/{model_name}/infer`; binary tensors are views of `body` where they are aligned."""
    document, binary = _split(body, header_length)
    inputs = read_list("inputs", required("request", document, "inputs"))
    if not inputs:
        raise mismatch("inputs", "at least one input", "none")
    return InferRequest(
        model_name,
        read_tensors("input", inputs, binary),
        model_version,
        _read_id(document),
        _read_requested_outputs(document.get("outputs", [])),
        _read_flagged("parameters", document, "binary_data_output"),
    )


def encode_request(request: InferRequest, *, binary: bool) -> tuple[bytes, int | None]:
    """The body and its header length, None when all of it is JSON; `binary` is how the inputs travel."""
    document: JsonObject = {} if request.id is None else {"id": request.id}
    document |= _parameters_member(request.parameters)
    tensors = ((tensor, binary) for tensor in request.inputs)
    if request.outputs:
        document["outputs"] = [
            {"name": output.name} | _parameters_member(output.parameters) for output in request.outputs
        ]
    return _joined(document, "input", tensors)


def decode_response(body: Body, header_length: int | None = None) -> InferResponse:
    """A server's response; binary tensors are views of `body` where they are aligned."""
    document, binary = _split(body, header_length)
    return InferResponse(
        read_string("model_name", required("response", document, "model_name")),
        read_tensors("output", read_list("outputs", required("response", document, "outputs")), binary),
        read_string("model_version", document.get("model_version", "")),
        _read_id(document),
        read_parameters("parameters", document.get("parameters", {})),
    )


def encode_response(response: InferResponse, request: InferRequest) -> tuple[bytes, int | None]:
    """The body and its header length, None when all of it is JSON.

    Gives the response's outputs in its order, each as binary data or JSON as the request asked for it. Raises
    InvalidRequest when it asked for JSON and JSON cannot say the values: FP16, NaN, infinity, bytes that are not UTF-8.
    """
    document: JsonObject = {"model_name": response.model_name}
    document |= {"model_version": response.model_version} if response.model_version else {}
    document |= {} if response.id is None else {"id": response.id}
    document |= _parameters_member(response.parameters)
    by_default = request.parameters.get("binary_data_output") is True
    binary = {output.name: output.parameters.get("binary_data", by_default) is True for output in request.outputs}
    tensors = ((tensor, binary.get(tensor.name, by_default)) for tensor in response.outputs)
    return _joined(document, "output", tensors)


def _split(body: Body, header_length: int | None) -> tuple[JsonObject, BinarySection]:
    view = memoryview(body)
    length = len(view) if header_length is None else header_length
    if not 0 <= length <= len(view):
        raise mismatch(HEADER_LENGTH, f"0 to {len(view)} bytes, the body's length", length)
    return read_object("body", parse_json(view[:length])), BinarySection(view[length:])


def _joined(document: JsonObject, kind: str, tensors: Iterable[tuple[Tensor, bool]]) -> tuple[bytes, int | None]:
    documents_and_raws = [tensor_document(kind, tensor, binary=binary) for tensor, binary in tensors]
    document[f"{kind}s"] = [tensor for tensor, _ in documents_and_raws]
    raws = [raw for _, raw in documents_and_raws if raw is not None]
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join((header, *raws)), len(header)) if raws else (header, None)


def _read_id(document: JsonObject) -> str | None:
    return read_string("id", document["id"]) if "id" in document else None


def _read_requested_outputs(value: object) -> tuple[RequestedOutput, ...]:
    outputs = tuple(_read_requested(f"outputs[{i}]", item) for i, item in enumerate(read_list("outputs", value)))
    check_distinct("outputs", (output.name for output in outputs))
    return outputs


def _read_requested(place: str, value: object) -> RequestedOutput:
    document = read_object(place, value)
    name = checked_name(place, read_string(f"{place} name", required(place, document, "name")))
    return RequestedOutput(name, _read_flagged(f"output {excerpt(name)} parameters", document, "binary_data"))


def _read_flagged(field: str, document: JsonObject, flag: str) -> Parameters:
    """The document's parameters, of which one, if given, must be a boolean."""
    parameters = read_parameters(field, document.get("parameters", {}))
    if not isinstance(parameters.get(flag, False), bool):
        raise mismatch(f"{field} '{flag}'", "true or false", excerpt(parameters[flag]))
    return parameters


def _parameters_member(parameters: Parameters) -> JsonObject:
    return {"parameters": dict(parameters)} if parameters else {}
