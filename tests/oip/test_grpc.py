from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from oip.errors import InvalidRequest
from oip.grpc import (
    SERVICE,
    parse_request,
    request_from_message,
    request_to_wire,
    response_from_message,
    response_to_wire,
)
from oip.inference_pb2 import DESCRIPTOR, InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse
from oip.raw_contents import FIELDS_LIMIT
from oip.tensor import InferRequest, InferResponse, Parameter, RequestedOutput
from tests.oip.strategies import facts, requests, responses, tensor


def message_of(datatype: str, shape: list[int], raw: Sequence[bytes] = (), **contents: Any) -> ModelInferRequest:
    """A message of one input, with typed contents where they are given."""
    typed = InferTensorContents(**contents) if contents else None
    each = ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=shape, contents=typed)
    return ModelInferRequest(model_name="m", inputs=[each], raw_input_contents=raw)


def sent(request: InferRequest) -> ModelInferRequest:
    return ModelInferRequest.FromString(request_to_wire(request))


def as_grpc_says(message: InferRequest | InferResponse) -> tuple[object, ...]:
    """Facts of a message after the wire, where an empty id is none."""
    return facts(replace(message, id=message.id or None))


def test_the_service_is_called_as_in_the_proto() -> None:
    assert [service.full_name for service in DESCRIPTOR.services_by_name.values()] == [SERVICE]


@given(requests(as_json=False))
def test_a_request_reads_back_the_same_over_the_wire(request: InferRequest) -> None:
    wire = request_to_wire(request)
    assert facts(request_from_message(*parse_request(wire))) == as_grpc_says(request)
    assert facts(request_from_message(ModelInferRequest.FromString(wire))) == as_grpc_says(request)


@given(responses(as_json=False))
def test_a_response_reads_back_the_same_over_the_wire(response: InferResponse) -> None:
    message = ModelInferResponse.FromString(response_to_wire(response))
    assert facts(response_from_message(message)) == as_grpc_says(response)


def test_tensors_travel_as_raw_contents() -> None:
    message = sent(InferRequest("m", (tensor("x", "UINT8", [1, 2]), tensor("y", "BYTES", [b"a"]))))
    assert list(message.raw_input_contents) == [b"\1\2", b"\1\0\0\0a"]
    assert not any(each.HasField("contents") for each in message.inputs)


def test_a_raw_tensor_is_a_view_of_the_bytes_that_were_sent() -> None:
    wire = request_to_wire(InferRequest("m", (tensor("x", "UINT8", [1, 2]),)))
    message, (raw,) = parse_request(wire)
    assert raw.obj is wire
    assert np.shares_memory(request_from_message(message, [raw]).inputs[0].array, np.frombuffer(wire, np.uint8))


def test_more_fields_than_are_looked_at_are_read_all_the_same() -> None:
    wire = request_to_wire(InferRequest("m", (tensor("x", "UINT8", [1, 2]),)))
    message, raws = parse_request(ModelInferRequest(id="a").SerializeToString() * FIELDS_LIMIT + wire)
    assert not raws
    assert request_from_message(message, raws).inputs[0].array.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("datatype", "field", "values"),
    [
        ("BOOL", "bool_contents", [True, False]),
        ("UINT8", "uint_contents", [0, 255]),
        ("UINT16", "uint_contents", [0, 2**16 - 1]),
        ("UINT32", "uint_contents", [0, 2**32 - 1]),
        ("UINT64", "uint64_contents", [0, 2**64 - 1]),
        ("INT8", "int_contents", [-128, 127]),
        ("INT16", "int_contents", [-(2**15), 2**15 - 1]),
        ("INT32", "int_contents", [-(2**31), 2**31 - 1]),
        ("INT64", "int64_contents", [-(2**63), 2**63 - 1]),
        ("FP32", "fp32_contents", [0.5, float("inf")]),
        ("FP64", "fp64_contents", [0.1, -0.0]),
        ("BYTES", "bytes_contents", [b"", b"\xff\x00"]),
    ],
)
def test_typed_contents_are_understood(datatype: str, field: str, values: list[Any]) -> None:
    (read,) = request_from_message(message_of(datatype, [2, 1], **{field: values})).inputs
    assert read.array.dtype == tensor("x", datatype, values).array.dtype
    assert read.array.tolist() == [[value] for value in values]


def test_an_empty_tensor_needs_no_contents() -> None:
    assert request_from_message(message_of("FP32", [0, 3])).inputs[0].shape == (0, 3)


def test_a_scalar_has_one_element() -> None:
    assert request_from_message(message_of("FP32", [], [np.float32(0.5).tobytes()])).inputs[0].array == 0.5


def test_raw_bytes_are_no_json() -> None:
    assert not request_from_message(message_of("BYTES", [1], bytes_contents=[b"\xff"])).inputs[0].from_json


X: dict[str, Any] = {"name": "x", "datatype": "UINT8", "shape": [1]}
VALUELESS = {"p": InferParameter()}

REFUSED: list[tuple[ModelInferRequest, str]] = [
    (ModelInferRequest(model_name="m"), "inputs: expected at least one input, got none"),
    (ModelInferRequest(inputs=[{}]), "inputs[0] name: expected a non-empty string, got an empty one"),
    (message_of("FP32", [-1], [bytes(4)]), "input 'x' shape: expected integers of at least 0, got -1"),
    (message_of("FP32", [2], [bytes(4)]), "input 'x': expected 8 bytes of FP32 for shape [2], got 4"),
    (message_of("FP32", [1], [bytes(4)] * 2), "raw_input_contents: expected 1 entries, one for each input, got 2"),
    (message_of("FP32", [2**62, 4]), "input 'x' shape: expected at most 2147483647 elements, got more"),
    (message_of("FP32", [1]), "input 'x' data: expected 1 values for shape [1], got 0"),
    (
        message_of("FP32", [1], [bytes(4)], fp32_contents=[1.0]),
        "input 'x': expected either raw or typed contents, got both",
    ),
    (
        message_of("FP32", [1], fp64_contents=[1.0]),
        "input 'x' contents: expected fp32_contents for FP32, got fp64_contents",
    ),
    (
        message_of("INT32", [1], int_contents=[1], int64_contents=[1]),
        "input 'x' contents: expected int_contents for INT32, got int64_contents, int_contents",
    ),
    (message_of("UINT8", [1], uint_contents=[256]), "input 'x' data: expected UINT8 from 0 to 255, got 256"),
    (message_of("INT8", [1], int_contents=[-129]), "input 'x' data: expected INT8 from -128 to 127, got -129"),
    (message_of("FP16", [1], fp32_contents=[1.0]), "input 'x': FP16 has no typed contents, send it as raw contents"),
    (
        ModelInferRequest(inputs=[X], raw_input_contents=[b"\1"], parameters=VALUELESS),
        "parameters 'p': expected a value, got none",
    ),
    (
        ModelInferRequest(inputs=[X | {"parameters": VALUELESS}], raw_input_contents=[b"\1"]),
        "input 'x' parameters 'p': expected a value, got none",
    ),
    (
        ModelInferRequest(inputs=[X], raw_input_contents=[b"\1"], outputs=[{"name": "a", "parameters": VALUELESS}]),
        "output 'a' parameters 'p': expected a value, got none",
    ),
]

REFUSED_RESPONSES: list[tuple[ModelInferResponse, str]] = [
    (ModelInferResponse(outputs=[{}]), "outputs[0] name: expected a non-empty string, got an empty one"),
    (
        ModelInferResponse(outputs=[X, X], raw_output_contents=[b"\1"] * 2),
        "outputs: expected distinct names, got 'x' twice",
    ),
    (
        ModelInferResponse(outputs=[X], raw_output_contents=[b"\1"] * 2),
        "raw_output_contents: expected 1 entries, one for each output, got 2",
    ),
    (
        ModelInferResponse(outputs=[X], raw_output_contents=[b"\1\1"]),
        "output 'x': expected 1 bytes of UINT8 for shape [1], got 2",
    ),
    (ModelInferResponse(parameters=VALUELESS), "parameters 'p': expected a value, got none"),
    (
        ModelInferResponse(outputs=[X | {"parameters": VALUELESS}], raw_output_contents=[b"\1"]),
        "output 'x' parameters 'p': expected a value, got none",
    ),
]


@pytest.mark.parametrize(("message", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_request_that_breaks_the_protocol_is_refused(message: ModelInferRequest, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        request_from_message(message)
    assert str(refusal.value) == text


@pytest.mark.parametrize(("message", "text"), REFUSED_RESPONSES, ids=[text for _, text in REFUSED_RESPONSES])
def test_a_response_that_breaks_the_protocol_is_refused(message: ModelInferResponse, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        response_from_message(message)
    assert str(refusal.value) == text


def test_an_unknown_datatype_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^input 'x' datatype: expected one of .*, got 'fp32'$"):
        request_from_message(message_of("fp32", [1], [bytes(4)]))


def test_two_inputs_of_one_name_are_refused() -> None:
    message = sent(InferRequest("m", (tensor("x", "UINT8", [1]),) * 2))
    with pytest.raises(InvalidRequest, match=r"^inputs: expected distinct names, got 'x' twice$"):
        request_from_message(message)


@pytest.mark.parametrize("outputs", [("a", "a"), ("",)])
def test_requested_outputs_have_distinct_names(outputs: tuple[str, ...]) -> None:
    request = InferRequest("m", (tensor("x", "UINT8", [1]),), outputs=tuple(map(RequestedOutput, outputs)))
    with pytest.raises(InvalidRequest, match=r"^outputs"):
        request_from_message(sent(request))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "bool_param"),
        (0, "int64_param"),
        (-(2**63), "int64_param"),
        (2**63 - 1, "int64_param"),
        (2**63, "uint64_param"),
        (0.5, "double_param"),
        ("", "string_param"),
    ],
)
def test_a_parameter_travels_as_its_kind(value: Parameter, kind: str) -> None:
    message = ModelInferResponse.FromString(response_to_wire(InferResponse("m", (), parameters={"p": value})))
    assert message.parameters["p"].WhichOneof("parameter_choice") == kind
    (back,) = response_from_message(message).parameters.values()
    assert (type(back), back) == (type(value), value)


def test_raw_contents_may_stand_beside_contents_that_hold_nothing() -> None:
    message = message_of("UINT8", [1], [b"\1"])
    message.inputs[0].contents.SetInParent()
    assert request_from_message(message).inputs[0].array.tolist() == [1]


@given(requests(as_json=False), st.data())
def test_a_mutated_message_is_decoded_or_refused(request: InferRequest, data: st.DataObject) -> None:
    wire = request_to_wire(request)
    start = data.draw(st.integers(0, len(wire)))
    changed = wire[:start] + data.draw(st.binary(max_size=4)) + wire[start + data.draw(st.integers(0, 4)) :]
    with suppress(InvalidRequest, DecodeError):
        request_from_message(*parse_request(changed))
    with suppress(InvalidRequest, DecodeError):
        response_from_message(ModelInferResponse.FromString(changed))
