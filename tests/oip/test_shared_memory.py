"""Tensors that lie in shared memory are refused before their contents are missed."""

import json
from typing import Any

import pytest

from oip.errors import NotOfferedRequest
from oip.grpc import request_from_message
from oip.inference_pb2 import InferParameter, ModelInferRequest
from oip.rest import decode_request

SHARED = {"shared_memory_region": "pixels", "shared_memory_byte_size": 8}
PARAMETERS = {
    "shared_memory_region": InferParameter(string_param="pixels"),
    "shared_memory_byte_size": InferParameter(int64_param=8),
}
SAID = "'x' parameters 'shared_memory_region': shared memory is not offered"


def over_rest(given: dict[str, Any], **members: Any) -> None:
    tensor = {"name": "x", "datatype": "INT32", "shape": [2]} | given
    decode_request("m", json.dumps({"inputs": [tensor]} | members).encode())


def message(name: str, **fields: Any) -> ModelInferRequest.InferInputTensor:
    return ModelInferRequest.InferInputTensor(name=name, datatype="INT32", shape=[2], **fields)


def test_an_input_over_rest() -> None:
    with pytest.raises(NotOfferedRequest, match=f"input {SAID}"):
        over_rest({"parameters": SHARED})


def test_an_output_over_rest() -> None:
    with pytest.raises(NotOfferedRequest, match=f"output {SAID}"):
        over_rest({"data": [1, 2]}, outputs=[{"name": "x", "parameters": SHARED}])


@pytest.mark.parametrize("raws", [[], [b"12345678"]])
def test_an_input_over_grpc_whatever_lies_beside_it(raws: list[bytes]) -> None:
    inputs = [message("y"), message("x", parameters=PARAMETERS)]
    with pytest.raises(NotOfferedRequest, match=f"input {SAID}"):
        request_from_message(ModelInferRequest(inputs=inputs, raw_input_contents=raws))


def test_an_output_over_grpc() -> None:
    output = ModelInferRequest.InferRequestedOutputTensor(name="x", parameters=PARAMETERS)
    request = ModelInferRequest(inputs=[message("x")], outputs=[output], raw_input_contents=[b"12345678"])
    with pytest.raises(NotOfferedRequest, match=f"output {SAID}"):
        request_from_message(request)
