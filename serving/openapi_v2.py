"""The V2 doors in `/openapi.json`; schemas are named as in the Open Inference Protocol's own document.

https://github.com/kserve/open-inference-protocol (specification/protocol/open_inference_rest.yaml)
"""

from oip.contract import MAX_IMAGES
from oip.datatypes import DTYPES
from oip.rest import HEADER_LENGTH
from oip.shapes import DIMENSIONS_LIMIT
from oip.statistics import COMPUTE
from serving import openapi_examples as examples
from serving.errors import FetchFailed, ModelNotFound, NotOffered, NotReady
from serving.json_schema import BYTES, COUNT, FLAG, TEXT, TRUE, Schema, list_of, object_of, ref, told
from serving.openapi import OF_A_BODY, OF_PREDICTING, TRANSFORMER_ALONE, Operation, content, operation

_BINARY = "application/octet-stream"

_DATATYPE: Schema = {"enum": list(DTYPES)}
_NAME: Schema = {"type": "string", "minLength": 1}
_TENSOR = {
    "name": _NAME,
    "shape": list_of(COUNT, maxItems=DIMENSIONS_LIMIT),
    "datatype": _DATATYPE,
    "data": ref("tensor_data"),
}


def _parameters(**known: Schema) -> Schema:
    return ref("parameters") | {"properties": known}


_INFERENCE = {
    "parameters": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "tensor_data": told(
        list_of({"anyOf": [{"type": ["number", "string", "boolean"]}, ref("tensor_data")]}),
        "flat in row-major order, or nested as the shape; BYTES as text, pictures as base64",
    ),
    "request_input": object_of(_TENSOR, {"parameters": ref("parameters")}),
    "request_output": object_of(
        {"name": _NAME},
        {"parameters": _parameters(binary_data=FLAG, classification={"type": "integer", "minimum": 1})},
    ),
    "inference_request": object_of(
        {"inputs": list_of(ref("request_input"), minItems=1)},
        {
            "id": told(TEXT, "given back with the answer"),
            "parameters": _parameters(binary_data_output=FLAG),
            "outputs": told(list_of(ref("request_output")), "those that are wanted; all when none is named"),
        },
    ),
    "response_output": object_of(_TENSOR, {"parameters": ref("parameters")}),
    "inference_response": object_of(
        {"model_name": TEXT, "outputs": list_of(ref("response_output"))},
        {"model_version": TEXT, "id": TEXT, "parameters": ref("parameters")},
    ),
}

_METADATA = {
    "metadata_server_response": object_of({"name": TEXT, "version": TEXT, "extensions": list_of(TEXT)}),
    "metadata_tensor": object_of(
        {
            "name": TEXT,
            "datatype": _DATATYPE,
            "shape": told(list_of({"type": "integer", "minimum": -1}), "-1 where any size may stand"),
        }
    ),
    "metadata_model_response": object_of(
        {
            "name": TEXT,
            "versions": list_of(TEXT),
            "platform": TEXT,
            "inputs": list_of(ref("metadata_tensor")),
            "outputs": list_of(ref("metadata_tensor")),
        }
    ),
}

_EXTENSIONS = {
    "config_tensor": object_of({"name": TEXT, "data_type": TEXT, "dims": list_of({"type": "integer"})}),
    "config_response": object_of(
        {
            "name": TEXT,
            "platform": TEXT,
            "backend": TEXT,
            "max_batch_size": {"const": MAX_IMAGES},
            "input": list_of(ref("config_tensor")),
            "output": list_of(ref("config_tensor")),
            "parameters": {"type": "object", "additionalProperties": object_of({"string_value": TEXT})},
        }
    ),
    "statistic_duration": object_of({"count": COUNT, "ns": COUNT}),
    "model_statistics": object_of(
        {
            "name": TEXT,
            "version": TEXT,
            "last_inference": told(COUNT, "milliseconds since 1970"),
            "inference_count": told(COUNT, "photos or tensors"),
            "execution_count": told(COUNT, "requests"),
            "inference_stats": object_of(dict.fromkeys(("success", "fail", *COMPUTE), ref("statistic_duration"))),
            "batch_stats": list_of({}, maxItems=0),
        }
    ),
    "statistics_response": object_of({"model_stats": list_of(ref("model_statistics"))}),
    "repository_index_request": object_of({}, {"ready": told(FLAG, "leave out the models that are not")}),
    "repository_index_response": list_of(
        object_of(
            {"name": TEXT, "version": TEXT, "state": {"enum": ["READY", "UNAVAILABLE"]}},
            {"reason": told(TEXT, "why it is unavailable")},
        )
    ),
}

SCHEMAS: dict[str, Schema] = _INFERENCE | _METADATA | _EXTENSIONS

SERVER_LIVE = operation(
    "server_live", "Whether the process lives", content(object_of({"live": TRUE}), live={"live": True})
)
SERVER_READY = operation(
    "server_ready",
    "Whether the server is loaded, warm and not stopping",
    content(object_of({"ready": TRUE}), ready={"ready": True}),
    NotReady,
)
SERVER_METADATA = operation(
    "server_metadata",
    "The server's name, version and protocol extensions",
    content(ref("metadata_server_response"), server=examples.SERVER_METADATA),
)
REPOSITORY_INDEX = operation(
    "repository_index",
    "The models and their states",
    content(ref("repository_index_response"), model=examples.REPOSITORY_INDEX),
    *OF_A_BODY,
    requestBody={"content": content(ref("repository_index_request"), ready={"ready": True})},
)
STATISTICS = operation(
    "statistics",
    "Counts and times of all models' requests",
    content(ref("statistics_response"), model=examples.STATISTICS),
)
MODEL_METADATA = operation(
    "model_metadata",
    "A model's versions, platform, inputs and outputs",
    content(ref("metadata_model_response"), **examples.METADATA),
    ModelNotFound,
)
MODEL_READY = operation(
    "model_ready",
    "Whether a model is ready",
    content(ref("model_ready"), model=examples.MODEL_READY),
    ModelNotFound,
    NotReady,
)
MODEL_CONFIG = operation(
    "model_config",
    "A model's config in Triton's form, with the fingerprint of its preprocessing",
    content(ref("config_response"), **examples.CONFIG),
    ModelNotFound,
    NotReady,
)
MODEL_STATISTICS = operation(
    "model_statistics",
    "Counts and times of a model's requests",
    content(ref("statistics_response"), model=examples.STATISTICS),
    ModelNotFound,
    description=(
        "Since the start. `success` is the sum of `queue`, `compute_input` (reading and decoding the request and its "
        "photos), `compute_infer` (the engine; on the transformer the call of the predictor) and `compute_output` "
        "(the rest)."
    ),
)
_HEADER_LENGTH = {"description": "bytes of the body that are JSON, when binary tensors follow", "schema": COUNT}
MODEL_INFER = operation(
    "model_infer",
    "Infer",
    content(ref("inference_response"), **examples.INFERENCE_RESPONSES) | content(BYTES, _BINARY),
    ModelNotFound,
    *OF_PREDICTING,
    FetchFailed,
    NotOffered,
    description=(
        "The model's metadata names inputs and outputs; the transformer's `parameters.top_k` says how many classes. "
        "`classification` of an output asks for so many `value:index:label`. JSON needs no particular Content-Type.\n\n"
        f"With `{HEADER_LENGTH}`, so many bytes are JSON and binary tensors follow, each of which has "
        "`parameters.binary_data_size` in place of `data`. `binary_data_output`, or `binary_data` of an output, asks "
        "for an answer of that form.\n\n"
        "Requests may be compressed (Content-Encoding: gzip, deflate); answers are, if Accept-Encoding asks for it.\n\n"
        + TRANSFORMER_ALONE
    ),
    headers={HEADER_LENGTH: _HEADER_LENGTH},
    parameters=[{"name": HEADER_LENGTH, "in": "header", **_HEADER_LENGTH}],
    requestBody={
        "required": True,
        "content": content(ref("inference_request"), **examples.INFERENCE_REQUESTS) | content(BYTES, _BINARY),
    },
)


def of_version(described: Operation) -> Operation:
    """The same operation where the path names the model's version."""
    name, summary = described["operation_id"], described["summary"]
    return described | {
        "operation_id": name.replace("model_", "model_version_", 1),
        "summary": f"{summary}, for one version",
    }
