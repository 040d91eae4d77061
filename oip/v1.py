"""The V1 protocol (TensorFlow Serving's row format) for models of one input and one output tensor.

Specification: https://www.tensorflow.org/tfx/serving/api_rest (predict, row format).
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import orjson
from msgspec.json import Decoder

from oip.contract import CLASSIFICATION
from oip.document import Json, decode_json, read_parameters
from oip.errors import mismatch
from oip.json_data import array_from_json, json_from_tensor
from oip.tensor import InferRequest, InferResponse, RequestedOutput, Tensor, TensorMetadata


class _Body(msgspec.Struct):
    instances: Json
    parameters: Json = Json()


_BODY = Decoder(_Body)
_EMPTY = re.compile(rb"\[[ \t\r\n]*\]")
_OF_OBJECTS = re.compile(rb"\[[ \t\r\n]*\{")


def instances_to_request(
    model_name: str, body: bytes | Json, metadata_input: TensorMetadata, output_name: str
) -> InferRequest:
    """The request that a body's JSON stands for: its instances stacked along the first dimension.

    An instance is a nested list, or an object that names the input. `parameters` become the request's, except
    `classification`, which becomes the requested output's. The metadata's first dimension is the batch.
    """
    document = decode_json(_BODY, body)
    parameters = read_parameters("parameters", document.parameters)
    of_output = {name: parameters.pop(name) for name in (CLASSIFICATION,) if name in parameters}
    return InferRequest(
        model_name,
        (_stacked(bytes(document.instances), metadata_input),),
        outputs=(RequestedOutput(output_name, of_output),),
        parameters=parameters,
    )


def response_to_predictions(response: InferResponse) -> dict[str, Any]:
    """`{"predictions": rows}`: the rows of the only output as nested lists, BYTES as strings.

    FP32 becomes the Python float of its shortest text, as in REST's JSON. Raises InvalidRequest where JSON cannot say
    a value.
    """
    (output,) = response.outputs
    values = json_from_tensor("predictions", output)
    flat = orjson.loads(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))
    return {"predictions": np.fromiter(flat, object, count=len(flat)).reshape(output.shape).tolist()}


@lru_cache
def _instances_naming(name: str) -> Decoder[list[Any]]:
    """Of objects whose only member has that name; it becomes `row`."""
    members = [("row", Json)]
    instance = msgspec.defstruct("Instance", members, rename={"row": name}, forbid_unknown_fields=True, gc=False)
    return Decoder(list[instance])  # type: ignore[valid-type]  # a class made here


def _stacked(instances: bytes, metadata: TensorMetadata) -> Tensor:
    rows = _rows(instances, metadata.name)
    array = array_from_json("instances", metadata.datatype, metadata.shape, rows, flat=False)
    return Tensor(metadata.name, metadata.datatype, array, from_json=True)


def _rows(instances: bytes, name: str) -> bytes:
    """The instances as one list of rows."""
    if _EMPTY.fullmatch(instances):
        raise mismatch("instances", "at least one instance", "none")
    if not _OF_OBJECTS.match(instances):
        return instances
    documents = decode_json(_instances_naming(name), instances, "instances")
    return b"[" + b",".join(bytes(document.row) for document in documents) + b"]"
