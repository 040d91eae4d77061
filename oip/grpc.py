"""The protocol over gRPC: the messages of `inference.proto` and the protocol's values, both ways.

Tensors travel as raw contents, which never go through protobuf; typed `contents` are understood as well. Specification:
https://github.com/kserve/open-inference-protocol (specification/protocol/inference_grpc.md). Every refusal is an
InvalidRequest, also of a server's response.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from oip.contents import array_from_contents
from oip.datatypes import checked_datatype
from oip.errors import InvalidRequest, mismatch
from oip.excerpt import excerpt
from oip.inference_pb2 import InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse
from oip.names import check_distinct, check_number, checked_name
from oip.raw import array_from_raw, raw_from_tensor
from oip.raw_contents import Raw, put_in, taken_out
from oip.shapes import Shape, checked_shape, most_elements
from oip.shared_memory import check_not_shared
from oip.tensor import InferRequest, InferResponse, Parameter, Parameters, RequestedOutput, Tensor

SERVICE = "inference.GRPCInferenceService"
"""The service's name, which KServe and Triton share."""

TensorMessage = ModelInferRequest.InferInputTensor | ModelInferResponse.InferOutputTensor

CONTENTS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The field of `contents` that holds each datatype; FP16 has none and travels raw only."""

_INT64_MAX = 2**63 - 1


class RequestMessage(NamedTuple):
    """A request's message, and its raw contents beside it: protobuf would copy them."""

    message: ModelInferRequest
    raws: Sequence[memoryview]


def parse_request(content: bytes) -> RequestMessage:
    """The message that was sent; raises protobuf's DecodeError for anything else."""
    rest, raws = taken_out(content, ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER)
    return RequestMessage(ModelInferRequest.FromString(rest), raws)


def request_from_message(message: ModelInferRequest, raws: Sequence[memoryview] = ()) -> InferRequest:
    """The request, with raw contents in the message or beside it; raw tensors are read-only views of bytes that the
    result keeps alive.
    """
    if not message.inputs:
        raise mismatch("inputs", "at least one input", "none")
    return InferRequest(
        message.model_name,
        _tensors("input", message.inputs, raws or message.raw_input_contents),
        message.model_version,
        message.id or None,
        _requested_outputs(message.outputs),
        _parameters("parameters", message.parameters),
    )


def request_to_wire(request: InferRequest) -> bytes:
    """The bytes of a ModelInferRequest, with raw contents."""
    message = ModelInferRequest(
        model_name=request.model_name,
        model_version=request.model_version,
        id=request.id or "",
        parameters=_parameter_messages(request.parameters),
        inputs=[
            ModelInferRequest.InferInputTensor(
                name=tensor.name,
                datatype=tensor.datatype,
                shape=tensor.shape,
                parameters=_parameter_messages(tensor.parameters),
            )
            for tensor in request.inputs
        ],
        outputs=[
            ModelInferRequest.InferRequestedOutputTensor(
                name=output.name, parameters=_parameter_messages(output.parameters)
            )
            for output in request.outputs
        ],
    )
    raws = map(raw_from_tensor, request.inputs)
    return put_in(message.SerializeToString(), ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER, raws)


def response_from_message(message: ModelInferResponse) -> InferResponse:
    """A server's response; raw tensors are read-only views of bytes that the result keeps alive."""
    return InferResponse(
        message.model_name,
        _tensors("output", message.outputs, message.raw_output_contents),
        message.model_version,
        message.id or None,
        _parameters("parameters", message.parameters),
    )


def response_to_wire(response: InferResponse) -> bytes:
    """The bytes of a ModelInferResponse, with raw contents."""
    message = ModelInferResponse(
        model_name=response.model_name,
        model_version=response.model_version,
        id=response.id or "",
        parameters=_parameter_messages(response.parameters),
        outputs=[
            ModelInferResponse.InferOutputTensor(
                name=tensor.name,
                datatype=tensor.datatype,
                shape=tensor.shape,
                parameters=_parameter_messages(tensor.parameters),
            )
            for tensor in response.outputs
        ],
    )
    raws = map(raw_from_tensor, response.outputs)
    return put_in(message.SerializeToString(), ModelInferResponse.RAW_OUTPUT_CONTENTS_FIELD_NUMBER, raws)


def _tensors(kind: str, messages: Sequence[TensorMessage], raws: Sequence[Raw]) -> tuple[Tensor, ...]:
    check_number(f"{kind}s", len(messages))
    for message in messages:  # first, for what lies in shared memory is neither raw nor typed contents
        check_not_shared(f"{kind} {excerpt(message.name)} parameters", message.parameters)
    if raws and len(raws) != len(messages):
        raise mismatch(f"raw_{kind}_contents", f"{len(messages)} entries, one for each {kind}", len(raws))
    contents: Sequence[Raw | None] = raws or [None] * len(messages)
    tensors = tuple(
        _tensor(kind, f"{kind}s[{i}]", message, raw)
        for i, (message, raw) in enumerate(zip(messages, contents, strict=True))
    )
    check_distinct(f"{kind}s", (tensor.name for tensor in tensors))
    return tensors


def _tensor(kind: str, place: str, message: TensorMessage, raw: Raw | None) -> Tensor:
    name = checked_name(place, message.name)
    field = f"{kind} {excerpt(name)}"
    datatype = checked_datatype(field, message.datatype)
    shape = checked_shape(field, message.shape, most_elements(kind, datatype))
    array = _array(field, datatype, shape, message.contents, raw)
    return Tensor(name, datatype, array, _parameters(f"{field} parameters", message.parameters))


def _array(field: str, datatype: str, shape: Shape, contents: InferTensorContents, raw: Raw | None) -> NDArray[Any]:
    given = {descriptor.name for descriptor, _ in contents.ListFields()}
    if raw is not None and given:
        raise mismatch(field, "either raw or typed contents", "both")
    if raw is not None:
        return array_from_raw(field, datatype, shape, raw)
    if datatype not in CONTENTS:
        raise InvalidRequest(f"{field}: {datatype} has no typed contents, send it as raw contents")
    if not given <= {CONTENTS[datatype]}:
        raise mismatch(f"{field} contents", f"{CONTENTS[datatype]} for {datatype}", ", ".join(sorted(given)))
    return array_from_contents(field, datatype, shape, getattr(contents, CONTENTS[datatype]))


def _requested_outputs(
    messages: Sequence[ModelInferRequest.InferRequestedOutputTensor],
) -> tuple[RequestedOutput, ...]:
    check_number("outputs", len(messages))
    outputs = tuple(_requested_output(f"outputs[{i}]", message) for i, message in enumerate(messages))
    check_distinct("outputs", (output.name for output in outputs))
    return outputs


def _requested_output(place: str, message: ModelInferRequest.InferRequestedOutputTensor) -> RequestedOutput:
    name = checked_name(place, message.name)
    field = f"output {excerpt(name)} parameters"
    check_not_shared(field, message.parameters)
    return RequestedOutput(name, _parameters(field, message.parameters))


def _parameters(field: str, messages: Mapping[str, InferParameter]) -> dict[str, Parameter]:
    return {name: _parameter(f"{field} {excerpt(name)}", message) for name, message in messages.items()}


def _parameter(field: str, message: InferParameter) -> Parameter:
    choice = message.WhichOneof("parameter_choice")
    if choice is None:
        raise mismatch(field, "a value", "none")
    value: Parameter = getattr(message, choice)
    return value


def _parameter_messages(parameters: Parameters) -> dict[str, InferParameter]:
    return {name: _parameter_message(value) for name, value in parameters.items()}


def _parameter_message(value: Parameter) -> InferParameter:
    match value:
        case bool():
            return InferParameter(bool_param=value)
        case int():
            return InferParameter(uint64_param=value) if value > _INT64_MAX else InferParameter(int64_param=value)
        case float():
            return InferParameter(double_param=value)
        case str():
            return InferParameter(string_param=value)
