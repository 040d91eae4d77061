import orjson
import pytest
from hypothesis import given

from oip.errors import InvalidRequest
from oip.rest import decode_response, encode_response
from oip.tensor import InferRequest, InferResponse, RequestedOutput
from tests.oip.strategies import facts, responses, tensor

RESPONSE = InferResponse("m", (tensor("a", "FP32", [0.5]), tensor("b", "INT64", [7])))

ALL_BINARY = {"binary_data_output": True}


def wanting(parameters: dict[str, bool], **outputs: bool) -> InferRequest:
    requested = tuple(RequestedOutput(name, {"binary_data": binary}) for name, binary in outputs.items())
    return InferRequest("m", (), outputs=requested, parameters=parameters)


@given(responses(as_json=True))
def test_a_response_in_json_reads_back_the_same(response: InferResponse) -> None:
    body, header_length = encode_response(response, wanting({}))
    assert header_length is None
    assert facts(decode_response(body)) == facts(response)


@given(responses(as_json=False))
def test_a_response_with_binary_tensors_reads_back_the_same(response: InferResponse) -> None:
    body, header_length = encode_response(response, wanting(ALL_BINARY))
    assert facts(decode_response(memoryview(body), header_length)) == facts(response)


@pytest.mark.parametrize(
    ("request_", "binary"),
    [
        (wanting({}), set()),
        (wanting(ALL_BINARY), {"a", "b"}),
        (wanting({"binary_data_output": False}), set()),
        (wanting({}, a=True), {"a"}),
        (wanting(ALL_BINARY, a=False), {"b"}),
        (wanting({"binary_data_output": False}, a=True, b=True), {"a", "b"}),
    ],
)
def test_the_wish_for_an_output_goes_before_the_wish_for_all(request_: InferRequest, binary: set[str]) -> None:
    body, header_length = encode_response(RESPONSE, request_)
    document = orjson.loads(body[:header_length])
    assert {output["name"] for output in document["outputs"] if "data" not in output} == binary
    assert (header_length is None) == (not binary)


def test_an_output_without_a_wish_of_its_own_follows_the_wish_for_all() -> None:
    requested = (RequestedOutput("a"), RequestedOutput("b", {"binary_data": False}))
    body, header_length = encode_response(RESPONSE, InferRequest("m", (), "", None, requested, ALL_BINARY))
    outputs = orjson.loads(body[:header_length])["outputs"]
    assert {output["name"]: "data" in output for output in outputs} == {"a": False, "b": True}


def test_a_response_holds_what_the_specification_names_and_no_null() -> None:
    body, _ = encode_response(RESPONSE, wanting({}))
    assert orjson.loads(body) == {
        "model_name": "m",
        "outputs": [
            {"name": "a", "shape": [1], "datatype": "FP32", "data": [0.5]},
            {"name": "b", "shape": [1], "datatype": "INT64", "data": [7]},
        ],
    }


def test_optional_members_stand_in_a_response_when_they_are_given() -> None:
    response = InferResponse("m", (), model_version="2", id="i", parameters={"p": 1})
    body, _ = encode_response(response, wanting({}))
    expected = {"model_name": "m", "model_version": "2", "id": "i", "parameters": {"p": 1}, "outputs": []}
    assert orjson.loads(body) == expected


def test_binary_outputs_follow_the_json_in_its_order() -> None:
    body, header_length = encode_response(RESPONSE, wanting(ALL_BINARY))
    outputs = orjson.loads(body[:header_length])["outputs"]
    assert [output["parameters"] for output in outputs] == [{"binary_data_size": 4}, {"binary_data_size": 8}]
    assert body[header_length:] == b"\0\0\0\x3f" + b"\7" + bytes(7)


def test_an_empty_binary_output_still_has_a_header_length() -> None:
    response = InferResponse("m", (tensor("a", "FP32", []),))
    body, header_length = encode_response(response, wanting({}, a=True))
    assert header_length == len(body)


def test_half_precision_in_json_is_refused_with_the_name_of_the_output() -> None:
    response = InferResponse("m", (tensor("a", "FP16", [1.0]),))
    with pytest.raises(InvalidRequest, match=r"^output 'a': FP16 has no JSON form, ask for binary data$"):
        encode_response(response, wanting({}))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "body: expected an object, got a list"),
        (b'{"outputs": []}', "body: expected a member 'model_name', got none"),
        (b'{"model_name": 1, "outputs": []}', "model_name: expected a string, got an integer"),
        (b'{"model_name": "m"}', "body: expected a member 'outputs', got none"),
        (b'{"model_name": "m", "outputs": [{}]}', "outputs[0]: expected a member 'name', got none"),
        (
            b'{"model_name": "m", "outputs": [{"name": "y", "datatype": "FP32", "shape": [1]}]}',
            "output 'y': expected either 'data' or 'binary_data_size', got neither",
        ),
        (b'{"model_name": "m", "outputs": [], "parameters": 1}', "parameters: expected an object, got an integer"),
        (
            b'{"model_name": "m", "outputs": [], "parameters": {"p": []}}',
            "parameters 'p': expected a string, number or boolean, got a list",
        ),
        (b'{"model_name": "m", "outputs": [], "id": 1}', "id: expected a string, got an integer"),
        (b'{"model_name": "m", "outputs": [], "model_version": 1}', "model_version: expected a string, got an integer"),
    ],
)
def test_a_response_that_breaks_the_protocol_is_refused(body: bytes, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        decode_response(body)
    assert str(refusal.value) == text
