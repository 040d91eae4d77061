"""The V1 doors in `/openapi.json`. What an instance and a prediction is differs from model to model."""

from oip.contract import MAX_IMAGES
from serving import openapi_examples as examples
from serving.cloud_event import STRUCTURED, VERSIONS
from serving.errors import FetchFailed, ModelNotFound, NotReady
from serving.json_schema import COUNT, TEXT, TRUE, Schema, list_of, object_of, ref, told
from serving.openapi import OF_PREDICTING, TRANSFORMER_ALONE, content, operation

_INSTANCE: Schema = {
    "type": ["object", "array"],
    "description": "transformer: `image`, `image_bytes` or `url`; predictor: nested lists, or `image` with them",
}
_PREDICTIONS = list_of({"anyOf": [ref("prediction"), {"type": ["number", "string"]}]})

SCHEMAS: dict[str, Schema] = {
    "models": object_of({"models": list_of(TEXT)}),
    "model_ready": object_of({"name": TEXT, "ready": TRUE}),
    "predict_request": object_of(
        {"instances": list_of(_INSTANCE, minItems=1, maxItems=MAX_IMAGES)}, {"parameters": ref("parameters")}
    ),
    "predict_response": object_of({"predictions": told(list_of(_PREDICTIONS), "in the order of the instances")}),
    "prediction": object_of(
        {"class_id": COUNT, "label": TEXT, "confidence": {"type": "number", "minimum": 0, "maximum": 1}}
    ),
}


def _event(data: str) -> Schema:
    """A CloudEvent in structured mode."""
    attributes = dict.fromkeys(("id", "source", "type"), TEXT)
    return object_of({"specversion": {"enum": list(VERSIONS)}, **attributes, "data": ref(data)}, {"time": TEXT})


MODELS = operation("v1_models", "Names of the models", content(ref("models"), model=examples.MODELS))
MODEL_READY = operation(
    "v1_model_ready",
    "Whether a model is ready",
    content(ref("model_ready"), model=examples.MODEL_READY),
    ModelNotFound,
    NotReady,
)
PREDICT = operation(
    "v1_predict",
    "Predict, in TensorFlow Serving's row format",
    content(ref("predict_response"), **examples.PREDICT_RESPONSES) | content(_event("predict_response"), STRUCTURED),
    ModelNotFound,
    *OF_PREDICTING,
    FetchFailed,
    description=(
        "The transformer takes photos and names the best classes of each; the predictor takes tensors and gives "
        "probabilities, or with `parameters.classification` so many `value:index:label`.\n\n"
        "JSON needs no particular Content-Type and may be compressed (Content-Encoding: gzip, deflate). A CloudEvent, "
        f"binary (`ce-` headers) or structured (`{STRUCTURED}`), is answered by one in the same mode.\n\n"
        + TRANSFORMER_ALONE
    ),
    requestBody={
        "required": True,
        "content": content(ref("predict_request"), **examples.PREDICT_REQUESTS)
        | content(_event("predict_request"), STRUCTURED),
    },
)
