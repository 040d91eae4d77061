import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oip.errors import InvalidRequest
from oip.tensor import InferRequest, InferResponse, RequestedOutput, TensorMetadata
from oip.v1 import instances_to_request, response_to_predictions
from tests.oip.strategies import json_values, tensor

PIXELS = TensorMetadata("image", "UINT8", (-1, 2, 3))
ROW = [[1, 2, 3], [4, 5, 6]]


def request_of(body: object, metadata: TensorMetadata = PIXELS) -> InferRequest:
    return instances_to_request("m", orjson.dumps(body), metadata, "scores")


@pytest.mark.parametrize("instances", [[ROW, ROW], [{"image": ROW}, {"image": ROW}]])
def test_instances_are_stacked_along_the_batch(instances: list[Any]) -> None:
    (image,) = request_of({"instances": instances}).inputs
    assert (image.name, image.datatype, image.array.dtype) == ("image", "UINT8", np.dtype(np.uint8))
    assert image.array.tolist() == [ROW, ROW]


def test_the_tensor_knows_that_it_came_as_json() -> None:
    assert request_of({"instances": [ROW]}).inputs[0].from_json


def test_the_request_names_the_model_without_version_and_id() -> None:
    request = request_of({"instances": [ROW]})
    assert (request.model_name, request.model_version, request.id) == ("m", "", None)


def test_the_one_output_is_requested() -> None:
    assert request_of({"instances": [ROW]}).outputs == (RequestedOutput("scores"),)


def test_classification_becomes_a_parameter_of_the_output_and_the_others_of_the_request() -> None:
    request = request_of({"instances": [ROW], "parameters": {"classification": 3, "fingerprint": "f"}})
    assert request.outputs == (RequestedOutput("scores", {"classification": 3}),)
    assert request.parameters == {"fingerprint": "f"}


@pytest.mark.parametrize(
    ("metadata", "instances", "shape"),
    [
        (TensorMetadata("x", "FP32", (-1,)), [1, 2.5], (2,)),
        (TensorMetadata("x", "FP32", (-1, 3)), [[1, 2, 3]], (1, 3)),
        (TensorMetadata("x", "FP32", (-1,)), [{"x": 1}, {"x": 2.5}], (2,)),
        (TensorMetadata("x", "BYTES", (-1, 1)), [["a"], ["b"]], (2, 1)),
        (TensorMetadata("x", "INT64", (2, 1)), [[1], [2]], (2, 1)),
    ],
)
def test_there_is_one_row_for_each_instance(
    metadata: TensorMetadata, instances: list[Any], shape: tuple[int, ...]
) -> None:
    assert request_of({"instances": instances}, metadata).inputs[0].shape == shape


REFUSED: list[tuple[object, str]] = [
    ([ROW], "body: expected an object, got a list"),
    (5, "body: expected an object, got an integer"),
    (None, "body: expected an object, got null"),
    ({}, "body: expected a member 'instances', got none"),
    ({"instances": None}, "instances data: expected a list, got null"),
    ({"instances": {"image": ROW}}, "instances data: expected a list, got an object"),
    ({"instances": []}, "instances: expected at least one instance, got none"),
    ({"instances": [{"image": ROW}, ROW]}, "instances[1]: expected an object, got a list"),
    ({"instances": [{}]}, "instances[0]: expected a member 'image', got none"),
    ({"instances": [{"image": ROW, "mask": 1}]}, "instances[0]: expected no other members, got another"),
    (
        {"instances": [ROW, ROW[:1]]},
        "instances data: expected 12 values for shape [2, 2, 3], got 9",
    ),
    (
        {"instances": [[1, 2, 3, 4, 5, 6]]},
        "instances data: expected lists nested as in shape [1, 2, 3], got as many values nested otherwise",
    ),
    ({"instances": [1]}, "instances data: expected 6 values for shape [1, 2, 3], got 1"),
    ({"instances": [[[1, 2, 3], [4, 5, 256]]]}, "instances data: expected UINT8 from 0 to 255, got 256"),
    ({"instances": [[[1, 2, 3], [4, 5, 0.5]]]}, "instances data: expected integers for UINT8, got 0.5"),
    ({"instances": [ROW], "parameters": []}, "parameters: expected an object, got a list"),
    (
        {"instances": [ROW], "parameters": {"p": None}},
        "parameters 'p': expected a string, number or boolean, got null",
    ),
]


@pytest.mark.parametrize(("body", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_body_that_holds_no_tensor_is_refused(body: object, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        request_of(body)
    assert str(refusal.value) == text


@pytest.mark.parametrize(
    "instances", [b"[\r\n\t [[1, 2, 3], [4, 5, 6]] ]", b'[\r\n\t {"image": [[1, 2, 3], [4, 5, 6]]} ]']
)
def test_space_before_the_first_instance_is_of_no_meaning(instances: bytes) -> None:
    request = instances_to_request("m", b'{"instances": %s}' % instances, PIXELS, "scores")
    assert request.inputs[0].array.tolist() == [ROW]


def test_space_is_no_instance() -> None:
    with pytest.raises(InvalidRequest, match=r"^instances: expected at least one instance, got none$"):
        instances_to_request("m", b'{"instances": [\r\n\t ]}', PIXELS, "scores")


def test_a_fixed_batch_is_kept() -> None:
    with pytest.raises(InvalidRequest, match=r"^instances data: expected 2 values for shape"):
        request_of({"instances": [1]}, TensorMetadata("x", "FP32", (2,)))


@given(json_values | st.builds(lambda inner: {"instances": inner}, st.lists(json_values)))
def test_random_json_is_a_request_or_refused(value: Any) -> None:
    with suppress(InvalidRequest):
        request_of(value)


@pytest.mark.parametrize(
    ("datatype", "values", "rows"),
    [
        ("FP32", [[0.1, 0.9], [0.5, 0.5]], [[0.1, 0.9], [0.5, 0.5]]),
        ("INT64", [1, 2], [1, 2]),
        ("BOOL", [[True], [False]], [[True], [False]]),
        ("BYTES", ["é:1".encode(), b""], ["é:1", ""]),
    ],
)
def test_predictions_are_rows_as_lists(datatype: str, values: list[Any], rows: list[Any]) -> None:
    response = InferResponse("m", (tensor("scores", datatype, values),))
    assert response_to_predictions(response) == {"predictions": rows}


@pytest.mark.parametrize(("datatype", "value"), [("FP32", np.nan), ("FP16", 1.0), ("BYTES", b"\xff")])
def test_predictions_that_json_cannot_say_are_refused(datatype: str, value: Any) -> None:
    response = InferResponse("m", (tensor("scores", datatype, [value]),))
    with pytest.raises(InvalidRequest, match=r"^predictions: .* no JSON form"):
        response_to_predictions(response)


@pytest.mark.parametrize(
    "row", [b"{}", b'{"image":0}', b'{"image":[[1,2,3],[4,5,6]]}', b"[[1,2,3],[4,5,6]]", b"[]", b"0"]
)
def test_instances_take_a_small_multiple_of_the_body(row: bytes) -> None:
    body = b'{"instances": [%s]}' % b",".join([row] * 20_000)
    tracemalloc.start()
    with suppress(InvalidRequest):
        instances_to_request("m", body, PIXELS, "scores")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(body)
