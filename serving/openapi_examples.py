"""Requests and answers of one real model, squeezenet1_1, in `/openapi.json`; by server where the two differ."""

import json
from typing import Any

from oip.contract import Preprocessing
from oip.metadata import ModelState, config_document, index_document, metadata_document, preprocessing_parameters
from oip.statistics import ModelStatistics, statistics_document
from oip.tensor import ModelMetadata, TensorMetadata
from serving.version import EXTENSIONS, NAME, VERSION

Examples = dict[str, Any]
"""By name; in the document each has its own."""

_MODEL, _VERSION, _FINGERPRINT = "squeezenet1_1", "sha256-40e0d5ad09f6", "1-bilinear-256-224"

_PREPROCESSING = preprocessing_parameters(Preprocessing(256, 224))
_CONTRACT = {"fingerprint": _FINGERPRINT, "revision": ""}

_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGM8YaPBgA0wYRUdtBIA77ABPOi/LYYAAAAASUVORK5CYII="
"""A red PNG picture of 8 x 8 pixels, which the transformer's answers are for."""

URL = "https://photos.example/lion.jpg"

_TRANSFORMER = ModelMetadata(
    _MODEL,
    (_VERSION,),
    "kserve_transformer",
    (TensorMetadata("image", "BYTES", (-1,)), TensorMetadata("url", "BYTES", (-1,))),
    (
        TensorMetadata("class_id", "INT64", (-1, -1)),
        TensorMetadata("label", "BYTES", (-1, -1)),
        TensorMetadata("confidence", "FP32", (-1, -1)),
    ),
)
_PREDICTOR = ModelMetadata(
    _MODEL,
    (_VERSION,),
    "torchvision_openvino",
    (TensorMetadata("image", "UINT8", (-1, 224, 224, 3)),),
    (TensorMetadata("probabilities", "FP32", (-1, 1000)),),
)
_INFO: dict[str, Any] = {
    "model_name": _MODEL,
    "model_version": _VERSION,
    "revision": "",
    "architecture": _MODEL,
    "trained": True,
    "classes": 1000,
    "preprocessing": {
        "resize": 256,
        "crop": 224,
        "interpolation": "bilinear",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
    "fingerprint": _FINGERPRINT,
    "engine": {
        "name": "openvino",
        "version": "2026.4.1",
        "precision": "float32",
        "device": "cpu",
        "threads": 2,
        "streams": 1,
        "steps": [1, 2, 4],
        "benchmark_only": False,
        "reason": "the bundle has a graph; the best that is computed natively here",
    },
    "licence": "unknown",
    "origin": "squeezenet1_1-imagenet1k-fp16.safetensors",
}
_LIMITS = {"top_k_predictions": 5, "max_upload_size": 10485760, "max_image_pixels": 25000000, "fetch_enabled": True}


def _statistics() -> ModelStatistics:
    statistics = ModelStatistics(_MODEL, _VERSION)
    statistics.succeeded(1, 39_760_000, {"queue": 263_000, "compute_infer": 31_204_000}, 1_795_399_944_815)
    statistics.failed(673_000)
    return statistics


def _tensor(name: str, datatype: str, *values: object) -> dict[str, Any]:
    """What an answer says of one picture."""
    return {"name": name, "shape": [1, len(values)], "datatype": datatype, "data": list(values)}


def _answer(*outputs: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"model_name": _MODEL, "model_version": _VERSION} | members | {"outputs": list(outputs)}


def _request(name: str, value: str, **members: Any) -> dict[str, Any]:
    tensor = {"name": name, "shape": [1], "datatype": "BYTES", "data": [value]}
    return {"inputs": [tensor], "parameters": {"top_k": 2}} | members


PREDICTIONS = [
    {"class_id": 111, "label": "nematode", "confidence": 0.032625113},
    {"class_id": 623, "label": "letter opener", "confidence": 0.025934162},
]
"""Of the red picture, which is a photo of nothing."""

_CLASSIFIED = ("0.04968011:111:nematode", "0.014319912:623:letter opener")
"""Of a grey picture, as the predictor's `classification` gives it."""

MODELS = {"models": [_MODEL]}
MODEL_READY = {"name": _MODEL, "ready": True}
MODEL_INFO: Examples = {
    "transformer": _INFO | {"formats": ["JPEG", "PNG", "WEBP", "GIF", "BMP"], "limits": _LIMITS},
    "predictor": _INFO,
}

SERVER_METADATA = {"name": NAME, "version": VERSION, "extensions": EXTENSIONS}
REPOSITORY_INDEX = index_document([ModelState(_MODEL, _VERSION)])
STATISTICS = statistics_document([_statistics()])
METADATA: Examples = {"transformer": metadata_document(_TRANSFORMER), "predictor": metadata_document(_PREDICTOR)}
CONFIG: Examples = {
    "transformer": config_document(_TRANSFORMER, _PREPROCESSING),
    "predictor": config_document(
        _PREDICTOR,
        _PREPROCESSING
        | {"mean": "[0.485, 0.456, 0.406]", "std": "[0.229, 0.224, 0.225]", "model_info": json.dumps(_INFO)},
    ),
}

PREDICT_REQUESTS: Examples = {
    "photo": {"instances": [{"image": {"b64": _PICTURE}}], "parameters": {"top_k": 2}},
    "url": {"instances": [{"url": URL}], "parameters": {"top_k": 2}},
}
PREDICT_RESPONSES: Examples = {
    "transformer": {"predictions": [PREDICTIONS]},
    "predictor": {"predictions": [list(_CLASSIFIED)]},
}
INFERENCE_REQUESTS: Examples = {
    "photo": _request("image", _PICTURE, id="7"),
    "url": _request("url", URL, outputs=[{"name": "label"}]),
}
INFERENCE_RESPONSES: Examples = {
    "transformer": _answer(
        _tensor("class_id", "INT64", 111, 623),
        _tensor("label", "BYTES", "nematode", "letter opener"),
        _tensor("confidence", "FP32", 0.032625113, 0.025934162),
        id="7",
        parameters=_CONTRACT,
    ),
    "predictor": _answer(_tensor("probabilities", "BYTES", *_CLASSIFIED), parameters=_CONTRACT),
}
