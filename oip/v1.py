"""The V1 protocol (TensorFlow Serving's row format) for models of one input and one output tensor.

Specification: https://www.tensorflow.org/tfx/serving/api_rest (predict, row format).
"""

from typing import Any

import numpy as np
import orjson

from oip.contract import CLASSIFICATION
from oip.document import JsonObject, read_list, read_object, read_parameters, required
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.shapes import Shape
from oip.tensor import InferRequest, InferResponse, RequestedOutput, Tensor, TensorMetadata
from oip.values import array_from_leaves, flattened, json_from_tensor


def instances_to_request(
    model_name: str, body: object, metadata_input: TensorMetadata, output_name: str
) -> InferRequest:
    """The request that a body, as `parse_json` gives it, stands for: its instances stacked along the first dimension.

    An instance is a nested list, or an object that names the input. `parameters` become the request's, except
    `classification`, which becomes the requested output's. The metadata's first dimension is the batch.
    """
    document = read_object("body", body)
    instances = read_list("instances", required("body", document, "instances"))
    if not instances:
        raise mismatch("instances", "at least one instance", "none")
    rows = _rows(instances, metadata_input.name)
    parameters = read_parameters("parameters", document.get("parameters", {}))
    of_output = {name: parameters.pop(name) for name in (CLASSIFICATION,) if name in parameters}
    return InferRequest(
        model_name,
        (_stacked(rows, metadata_input),),
        outputs=(RequestedOutput(output_name, of_output),),
        parameters=parameters,
    )


def response_to_predictions(response: InferResponse) -> JsonObject:
    """`{"predictions": rows}`: the rows of the only output as nested lists, BYTES as strings.

    FP32 becomes the Python float of its shortest text, as in REST's JSON. Raises InvalidRequest where JSON cannot say
    a value.
    """
    (output,) = response.outputs
    values = json_from_tensor("predictions", output)
    flat = orjson.loads(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))
    return {"predictions": np.fromiter(flat, object, count=len(flat)).reshape(output.shape).tolist()}


def _rows(instances: list[object], name: str) -> list[object]:
    if any(isinstance(instance, dict) for instance in instances):
        return [_named(f"instances[{i}]", instance, name) for i, instance in enumerate(instances)]
    return instances


def _named(field: str, instance: object, name: str) -> object:
    document = read_object(field, instance)
    if strangers := document.keys() - {name}:
        raise mismatch(field, f"'{name}' alone", excerpt(min(strangers)))
    return required(field, document, name)


def _stacked(rows: list[object], metadata: TensorMetadata) -> Tensor:
    shape = _resolved(rows, metadata.shape)
    leaves = flattened("instances", shape, rows)
    array = array_from_leaves("instances", metadata.datatype, shape, leaves)
    return Tensor(metadata.name, metadata.datatype, array, from_json=True)


def _resolved(rows: list[object], shape: Shape) -> Shape:
    """The metadata's shape, with the first instance's lengths where a dimension may vary."""
    level: Any = rows
    lengths = []
    for size in shape:
        length = len(level) if isinstance(level, list) else 0
        lengths.append(length if size == -1 else size)
        level = level[0] if length else None
    return tuple(lengths)
