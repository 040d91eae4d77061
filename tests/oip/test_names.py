import pytest

from oip.errors import InvalidRequest
from oip.grpc import request_from_message
from oip.inference_pb2 import ModelInferRequest
from oip.names import check_distinct, check_number, checked_name


def test_a_name_is_kept() -> None:
    assert checked_name("inputs[0]", "image") == "image"


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs\[0\] name: expected a non-empty string, got an empty one$"):
        checked_name("inputs[0]", "")


@pytest.mark.parametrize("names", [[], ["a"], ["a", "A"]])
def test_distinct_names_pass(names: list[str]) -> None:
    check_distinct("inputs", names)


def test_the_first_name_given_twice_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: expected distinct names, got 'b' twice$"):
        check_distinct("inputs", ["a", "b", "c", "b", "a"])


def test_there_may_be_as_many_tensors_as_the_limit() -> None:
    check_number("inputs", 64)


def test_more_tensors_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^inputs: expected at most 64, got 65$"):
        check_number("inputs", 65)


def test_a_message_names_at_most_so_many_inputs() -> None:
    message = ModelInferRequest(inputs=[ModelInferRequest.InferInputTensor()] * 65)
    with pytest.raises(InvalidRequest, match=r"^inputs: expected at most 64, got 65$"):
        request_from_message(message)


def test_a_message_asks_for_at_most_so_many_outputs() -> None:
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype="UINT8", shape=[0])
    outputs = [ModelInferRequest.InferRequestedOutputTensor(name=str(i)) for i in range(65)]
    with pytest.raises(InvalidRequest, match=r"^outputs: expected at most 64, got 65$"):
        request_from_message(ModelInferRequest(inputs=[tensor], outputs=outputs))
