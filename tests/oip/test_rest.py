import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given

from oip.datatypes import DTYPES
from oip.errors import InvalidRequest
from oip.rest import decode_request, encode_request
from oip.tensor import InferRequest, RequestedOutput, Tensor
from tests.oip.strategies import facts, requests, tensor

INPUT = {"name": "x", "shape": [2], "datatype": "UINT8", "data": [1, 2]}
BINARY_INPUT = {"name": "x", "shape": [2], "datatype": "UINT8", "parameters": {"binary_data_size": 2}}


def body_of(*inputs: dict[str, Any], **members: Any) -> bytes:
    return orjson.dumps({"inputs": inputs} | members)


def decoded_with_binary(document: bytes, binary: bytes) -> InferRequest:
    return decode_request("m", document + binary, len(document))


@given(requests(as_json=True))
def test_a_request_in_json_reads_back_the_same(request: InferRequest) -> None:
    body, header_length = encode_request(request, binary=False)
    assert header_length is None
    back = decode_request(request.model_name, body, header_length, request.model_version)
    assert facts(back) == facts(request)


@given(requests(as_json=False))
def test_a_request_with_binary_tensors_reads_back_the_same(request: InferRequest) -> None:
    body, header_length = encode_request(request, binary=True)
    back = decode_request(request.model_name, memoryview(body), header_length, request.model_version)
    assert facts(back) == facts(request)


def test_an_encoded_request_holds_what_the_specification_names_and_no_null() -> None:
    body, _ = encode_request(InferRequest("m", (tensor("x", "UINT8", [1, 2]),)), binary=False)
    assert orjson.loads(body) == {"inputs": [INPUT]}


def test_json_and_binary_inputs_may_stand_side_by_side() -> None:
    document = body_of(BINARY_INPUT, INPUT | {"name": "y"}, BINARY_INPUT | {"name": "z"})
    request = decoded_with_binary(document, b"\5\6\7\10")
    assert {each.name: each.array.tolist() for each in request.inputs} == {"x": [5, 6], "y": [1, 2], "z": [7, 8]}


def test_binary_tensors_are_views_of_the_body() -> None:
    document = body_of(BINARY_INPUT)
    body = document + b"\1\2"
    assert np.shares_memory(decode_request("m", body, len(document)).inputs[0].array, np.frombuffer(body, np.uint8))


def test_a_tensor_knows_whether_it_came_as_json() -> None:
    request = decoded_with_binary(body_of(INPUT, BINARY_INPUT | {"name": "y"}), b"\1\2")
    assert [each.from_json for each in request.inputs] == [True, False]


def test_the_size_of_a_binary_tensor_is_no_parameter_of_it() -> None:
    document = body_of(BINARY_INPUT | {"parameters": {"binary_data_size": 2, "mine": "kept"}})
    assert decoded_with_binary(document, b"\1\2").inputs[0].parameters == {"mine": "kept"}


def test_a_json_body_may_state_its_whole_length() -> None:
    body = body_of(INPUT)
    assert decode_request("m", body, len(body)).inputs[0].array.tolist() == [1, 2]


def test_the_model_is_the_one_of_the_path() -> None:
    request = decode_request("m", body_of(INPUT, model_name="other", model_version="9"), None, "1")
    assert (request.model_name, request.model_version) == ("m", "1")


def test_no_version_is_an_empty_one() -> None:
    assert decode_request("m", body_of(INPUT)).model_version == ""


def test_unknown_members_are_ignored() -> None:
    assert decode_request("m", body_of(INPUT | {"unit": None}, extra={})).inputs[0].name == "x"


NULLS = {"id": None, "outputs": None, "parameters": None}


def test_null_stands_for_an_optional_member_that_is_not_given() -> None:
    request = decode_request("m", body_of(INPUT | {"parameters": None}, **NULLS))
    assert (request.id, request.outputs, request.parameters, request.inputs[0].parameters) == (None, (), {}, {})


def test_null_stands_for_the_data_of_a_binary_tensor() -> None:
    assert decoded_with_binary(body_of(BINARY_INPUT | {"data": None}), b"\1\2").inputs[0].array.tolist() == [1, 2]


def test_a_request_has_at_most_so_many_tensors() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: expected at most 64, got 65$"):
        decode_request("m", body_of(*[INPUT | {"name": str(i)} for i in range(65)]))
    with pytest.raises(InvalidRequest, match=r"^outputs: expected at most 64, got 65$"):
        decode_request("m", body_of(INPUT, outputs=[{"name": str(i)} for i in range(65)]))


def test_a_request_may_have_as_many_tensors_as_the_limit() -> None:
    names = [str(i) for i in range(64)]
    request = decode_request("m", body_of(*[INPUT | {"name": name} for name in names], outputs=[{"name": "y"}]))
    assert [each.name for each in request.inputs] == names


def test_an_input_may_have_as_many_strings_as_the_limit() -> None:
    strings = INPUT | {"datatype": "BYTES", "shape": [65_536], "data": [""] * 65_536}
    assert decode_request("m", body_of(strings)).inputs[0].shape == (65_536,)


def test_an_input_has_at_most_so_many_strings() -> None:
    document = body_of(BINARY_INPUT | {"datatype": "BYTES", "shape": [65_537]})
    with pytest.raises(InvalidRequest, match=r"^input 'x' shape: expected at most 65536 elements, got more$"):
        decoded_with_binary(document, b"\1\2")


@pytest.mark.parametrize("outputs", [{}, {"outputs": []}])
def test_without_requested_outputs_there_are_none(outputs: dict[str, Any]) -> None:
    assert decode_request("m", body_of(INPUT, **outputs)).outputs == ()


def test_requested_outputs_keep_their_order_and_parameters() -> None:
    outputs = [{"name": "b", "parameters": {"classification": 3, "binary_data": False}}, {"name": "a"}]
    request = decode_request("m", body_of(INPUT, outputs=outputs))
    expected = (RequestedOutput("b", {"classification": 3, "binary_data": False}), RequestedOutput("a"))
    assert request.outputs == expected


REFUSED: list[tuple[bytes, str]] = [
    (b"[]", "body: expected an object, got a list"),
    (b"1", "body: expected an object, got an integer"),
    (b"null", "body: expected an object, got null"),
    (b"{}", "body: expected a member 'inputs', got none"),
    (b'{"inputs": {}}', "inputs: expected a list, got an object"),
    (b'{"inputs": null}', "inputs: expected a list, got null"),
    (b'{"inputs": []}', "inputs: expected at least one input, got none"),
    (b'{"inputs": [1]}', "inputs[0]: expected an object, got an integer"),
    (body_of(INPUT, INPUT), "inputs: expected distinct names, got 'x' twice"),
    (body_of({**INPUT, "name": 3}), "inputs[0].name: expected a string, got an integer"),
    (body_of({**INPUT, "name": ""}), "inputs[0] name: expected a non-empty string, got an empty one"),
    (body_of({**INPUT, "datatype": None}), "input 'x' datatype: expected a string, got null"),
    (
        body_of({**INPUT, "datatype": "INT"}),
        f"input 'x' datatype: expected one of {', '.join(DTYPES)}, got 'INT'",
    ),
    (body_of({**INPUT, "data": 1}), "input 'x' data: expected a list, got 1"),
    (body_of({**INPUT, "shape": 2}), "input 'x' shape: expected a list, got an integer"),
    (body_of({**INPUT, "shape": [-2]}), "input 'x' shape: expected integers of at least 0, got -2"),
    (body_of({**INPUT, "shape": [2**62, 4]}), "input 'x' shape: expected at most 2147483647 elements, got more"),
    (
        body_of({**INPUT, "parameters": {"p": None}}),
        "input 'x' parameters 'p': expected a string, number or boolean, got null",
    ),
    (
        body_of({**INPUT, "parameters": {"binary_data_size": 2}}),
        "input 'x': expected either 'data' or 'binary_data_size', got both",
    ),
    (body_of(INPUT, id=7), "id: expected a string, got an integer"),
    (body_of(INPUT, parameters=[]), "parameters: expected an object, got a list"),
    (body_of(INPUT, parameters={"p": {}}), "parameters 'p': expected a string, number or boolean, got an object"),
    (
        body_of(INPUT, parameters={"binary_data_output": 1}),
        "parameters 'binary_data_output': expected true or false, got 1",
    ),
    (body_of(INPUT, outputs={}), "outputs: expected a list, got an object"),
    (body_of(INPUT, outputs=["a"]), "outputs[0]: expected an object, got a string"),
    (body_of(INPUT, outputs=[{}]), "outputs[0]: expected a member 'name', got none"),
    (body_of(INPUT, outputs=[{"name": ""}]), "outputs[0] name: expected a non-empty string, got an empty one"),
    (body_of(INPUT, outputs=[{"name": "a"}] * 2), "outputs: expected distinct names, got 'a' twice"),
    (
        body_of(INPUT, outputs=[{"name": "a", "parameters": {"binary_data": "yes"}}]),
        "output 'a' parameters 'binary_data': expected true or false, got 'yes'",
    ),
]


@pytest.mark.parametrize(("body", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_request_that_breaks_the_protocol_is_refused(body: bytes, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        decode_request("m", body)
    assert str(refusal.value) == text


@pytest.mark.parametrize("member", ["shape", "datatype"])
def test_a_missing_member_of_an_input_is_named(member: str) -> None:
    body = body_of({name: value for name, value in INPUT.items() if name != member})
    with pytest.raises(InvalidRequest, match=rf"^inputs\[0\]: expected a member '{member}', got none$"):
        decode_request("m", body)


def test_an_input_without_name_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs\[1\]: expected a member 'name', got none$"):
        decode_request("m", body_of(INPUT, {}))


def test_an_input_without_values_is_refused() -> None:
    body = body_of({"name": "x", "shape": [2], "datatype": "UINT8"})
    with pytest.raises(InvalidRequest, match=r"^input 'x': expected either 'data' or 'binary_data_size', got neither$"):
        decode_request("m", body)


@pytest.mark.parametrize(
    ("size", "shown"), [(3, "3"), (-1, "-1"), (True, "true"), (2.0, "2.0"), ("2", "'2'"), (2**63, str(2**63))]
)
def test_a_binary_size_outside_of_the_body_is_refused(size: Any, shown: str) -> None:
    document = body_of(BINARY_INPUT | {"parameters": {"binary_data_size": size}})
    expected = f"input 'x' binary_data_size: expected 0 to 2, the bytes left in the body, got {shown}"
    with pytest.raises(InvalidRequest, match=f"^{expected}$"):
        decoded_with_binary(document, b"\1\2")


def test_a_binary_size_that_does_not_fit_the_shape_is_refused() -> None:
    document = body_of(BINARY_INPUT | {"parameters": {"binary_data_size": 1}})
    with pytest.raises(InvalidRequest, match=r"^input 'x': expected 2 bytes of UINT8 for shape \[2\], got 1$"):
        decoded_with_binary(document, b"\1\2")


def test_bytes_after_the_last_tensor_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^body: expected no bytes after the last tensor, got 1$"):
        decoded_with_binary(body_of(BINARY_INPUT), b"\1\2\3")


@pytest.mark.parametrize("header_length", [-1, 10_000, 2**70])
def test_a_header_length_outside_of_the_body_is_refused(header_length: int) -> None:
    body = body_of(INPUT)
    expected = f"expected 0 to {len(body)} bytes, the body's length, got {header_length}"
    with pytest.raises(InvalidRequest, match=f"^Inference-Header-Content-Length: {expected}$"):
        decode_request("m", body, header_length)


@pytest.mark.parametrize("cut", [0, 1, -1])
def test_a_header_length_that_does_not_cover_the_json_is_refused(cut: int) -> None:
    with pytest.raises(InvalidRequest, match=r"^malformed JSON: "):
        decode_request("m", body_of(INPUT), len(body_of(INPUT)) + cut if cut < 0 else cut)


def test_binary_tensors_without_header_length_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^malformed JSON: "):
        decode_request("m", body_of(BINARY_INPUT) + b"\1\2")


def test_refusals_are_short_whatever_the_names_and_values() -> None:
    long = "é" * 10_000
    body = body_of({"name": long, "shape": [2], "datatype": "BYTES", "data": [long, {long: long}]})
    with pytest.raises(InvalidRequest) as refusal:
        decode_request("m", body)
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize("shape", [[2**31 - 1], [2**15, 2**15], [0, 2**30]])
@pytest.mark.parametrize("datatype", ["UINT8", "FP64", "BYTES"])
def test_nothing_is_allocated_for_a_shape_that_the_body_does_not_fill(shape: list[int], datatype: str) -> None:
    document = body_of({"name": "x", "shape": shape, "datatype": datatype, "data": [0]})
    tracemalloc.start()
    with pytest.raises(InvalidRequest):
        decode_request("m", document)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000


def test_decoding_a_binary_tensor_allocates_nothing_of_its_size() -> None:
    request = InferRequest("m", (Tensor("x", "UINT8", np.zeros((1, 224, 224, 3), np.uint8)),))
    body, header_length = encode_request(request, binary=True)
    tracemalloc.start()
    decode_request("m", body, header_length)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000


UNITS = [b"0", b"0.5", b"99999", b"true", b"null", b'"ab"', b'""', b"[0]", b'["ab"]', b"[]", b"[[]]", b"{}", b'{"b":0}']


def peak_of(body: bytes) -> int:
    tracemalloc.start()
    with suppress(InvalidRequest):
        decode_request("m", body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("shape", [b"20000", b"20000,1", b"20000,0"])
@pytest.mark.parametrize("datatype", [b"BOOL", b"UINT8", b"INT64", b"UINT64", b"FP32", b"FP64", b"BYTES"])
def test_decoding_json_takes_a_small_multiple_of_the_body(datatype: bytes, shape: bytes, unit: bytes) -> None:
    start = b'{"inputs": [{"name": "x", "shape": [%s], "datatype": "%s", "data": [' % (shape, datatype)
    body = start + b",".join([unit] * 20_000) + b"]}]}"
    assert peak_of(body) < 15 * len(body)


INPUTS = b'"inputs": [{"name": "x", "shape": [0], "datatype": "UINT8", "data": []}]'
BESIDE = {
    "inputs": b'{"inputs": [%s]}' % b",".join(INPUTS[11:-1].replace(b"x", b"%d" % i) for i in range(5_000)),
    "empty inputs": b'{"inputs": [%s]}' % b",".join([b"{}"] * 20_000),
    "outputs": b'{%s, "outputs": [%s]}' % (INPUTS, b",".join(b'{"name":"%d"}' % i for i in range(20_000))),
    "shape": b'{"inputs": [{"name": "x", "shape": [%s], "datatype": "", "data": []}]}' % b",".join([b"999"] * 20_000),
    "parameters": b'{%s, "parameters": {%s}}' % (INPUTS, b",".join(b'"%d":1' % i for i in range(20_000))),
    "unknown members": b"{%s, %s}" % (INPUTS, b",".join(b'"%d":{}' % i for i in range(20_000))),
}


@pytest.mark.parametrize("body", BESIDE.values(), ids=BESIDE)
def test_what_stands_beside_the_tensors_takes_a_small_multiple_of_the_body(body: bytes) -> None:
    assert peak_of(body) < 25 * len(body)
