"""Every operation of `/openapi.json` with a request that it answers and, where it can refuse, one that it refuses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e.faces import Face, Request, infer, photo, photo_b64
from tests.e2e.rest_rules import MODEL, VERSION, get

PHOTO_URL = "http://photo.example/1.png"
"""Stands for the address of a photo on the loopback photo server."""

V1 = "/v1/models/photos"


@dataclass(frozen=True)
class OperationCase:
    """A request to the operation of that name; `only` names a server, `unready` one that has met no predictor."""

    operation: str
    request: Callable[[Face], Request]
    status: int = 200
    only: str = ""
    unready: bool = False


def post(path: str, content: object = b"", **headers: str) -> Callable[[Face], Request]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda face: Request("POST", path, body, named)


def instances(face: Face) -> dict[str, Any]:
    """A V1 request for one image."""
    if face.server == "transformer":
        return {"instances": [{"image": {"b64": photo_b64()}}]}
    rows = face.values
    for size in reversed(face.shape[1:]):
        rows = [rows[start : start + size] for start in range(0, len(rows), size)]
    return {"instances": rows}


def predict(**members: Any) -> Callable[[Face], Request]:
    return lambda face: post(f"{V1}:predict", instances(face) | members)(face)


def event(face: Face) -> Request:
    attributes = {"specversion": "1.0", "id": "7", "source": "shop", "type": "photo", "time": "2024-01-01T00:00:00Z"}
    kind = "application/cloudevents+json"
    return post(f"{V1}:predict", attributes | {"data": instances(face)}, content_type=kind)(face)


def form(face: Face) -> Request:
    """The photo as a browser sends it."""
    made = httpx.Request("POST", "http://x/predict", files={"file": photo()}, data={"top_k": "2"})
    return Request("POST", "/predict", made.read(), {"content-type": made.headers["content-type"]})


def inferring(path: str) -> Callable[[Face], Request]:
    return lambda face: Request("POST", path, infer(face.document(id="7")).content)


def binary(path: str) -> Callable[[Face], Request]:
    def request(face: Face) -> Request:
        made = face.binary(parameters={"binary_data_output": True})
        return Request("POST", path, made.content, made.headers)

    return request


def classified(path: str) -> Callable[[Face], Request]:
    wanted = {"parameters": {"classification": 2}}
    return lambda face: Request("POST", path, infer(face.document(outputs=[{"name": face.output} | wanted])).content)


OF_V1 = (
    OperationCase("v1_models", get("/v1/models")),
    OperationCase("v1_model_ready", get(V1)),
    OperationCase("v1_model_ready", get("/v1/models/cats"), 404),
    OperationCase("v1_model_ready", get(V1), 503, unready=True),
    OperationCase("v1_predict", predict()),
    OperationCase("v1_predict", predict(parameters={"top_k": 2, "classification": 2})),
    OperationCase("v1_predict", event),
    OperationCase("v1_predict", post(f"{V1}:predict", [1]), 400),
    OperationCase("v1_predict", post("/v1/models/cats:predict", {}), 404),
    OperationCase("v1_predict", post(f"{V1}:predict", b"x", content_encoding="br"), 415),
    OperationCase(
        "v1_predict", post(f"{V1}:predict", {"instances": [{"image": {"b64": "AAAA"}}]}), 415, only="transformer"
    ),
    OperationCase("v1_predict", predict(), 503, unready=True),
)

OF_A_SERVER = (
    OperationCase("server_metadata", get("/v2")),
    OperationCase("server_live", get("/v2/health/live")),
    OperationCase("server_live", get("/v2/health/live"), unready=True),
    OperationCase("server_ready", get("/v2/health/ready")),
    OperationCase("server_ready", get("/v2/health/ready"), 503, unready=True),
    OperationCase("statistics", get("/v2/models/stats")),
    OperationCase("repository_index", post("/v2/repository/index")),
    OperationCase("repository_index", post("/v2/repository/index", {"ready": True})),
    OperationCase("repository_index", post("/v2/repository/index"), unready=True),
    OperationCase("repository_index", post("/v2/repository/index", {"ready": "yes"}), 400),
    OperationCase("repository_index", post("/v2/repository/index", b"x", content_encoding="br"), 415),
    OperationCase("health", get("/health")),
    OperationCase("ready", get("/ready")),
    OperationCase("ready", get("/ready"), 503, unready=True),
    OperationCase("model_info", get("/model/info")),
    OperationCase("model_info", get("/model/info"), 503, unready=True),
    OperationCase("metrics", get("/metrics")),
)


def of_a_model(noun: str, base: str, unknown: str) -> tuple[OperationCase, ...]:
    """The operations of a model, or of one version of it."""
    return (
        OperationCase(f"{noun}_metadata", get(base)),
        OperationCase(f"{noun}_metadata", get(unknown), 404),
        OperationCase(f"{noun}_ready", get(base + "/ready")),
        OperationCase(f"{noun}_ready", get(unknown + "/ready"), 404),
        OperationCase(f"{noun}_config", get(base + "/config")),
        OperationCase(f"{noun}_config", get(unknown + "/config"), 404),
        OperationCase(f"{noun}_statistics", get(base + "/stats")),
        OperationCase(f"{noun}_statistics", get(unknown + "/stats"), 404),
        OperationCase(f"{noun}_infer", inferring(base + "/infer")),
        OperationCase(f"{noun}_infer", classified(base + "/infer")),
        OperationCase(f"{noun}_infer", binary(base + "/infer")),
        OperationCase(f"{noun}_infer", post(base + "/infer", {}), 400),
        OperationCase(f"{noun}_infer", inferring(unknown + "/infer"), 404),
    )


OF_A_MODEL = (
    OperationCase("model_metadata", get(MODEL), unready=True),
    OperationCase("model_ready", get(MODEL + "/ready"), 503, unready=True),
    OperationCase("model_infer", inferring(MODEL + "/infer"), 503, unready=True),
    OperationCase(
        "model_infer", lambda face: infer(face.document(parameters={"fingerprint": "1"})), 503, only="predictor"
    ),
)

PLAIN = (
    OperationCase("predict", form, only="transformer"),
    OperationCase("predict", lambda face: Request("POST", "/predict?top_k=2", photo()), only="transformer"),
    OperationCase("predict", post("/predict", b"no picture", content_type="image/png"), 415, only="transformer"),
    OperationCase("predict", lambda face: Request("POST", "/predict?top_k=0", photo()), 400, only="transformer"),
    OperationCase("predict", form, 503, unready=True),
    OperationCase("predict_url", post("/predict/url", {"url": PHOTO_URL, "top_k": 2}), only="transformer"),
    OperationCase("predict_url", post("/predict/url", {"url": "ftp://x/"}), 400, only="transformer"),
    OperationCase("predict_url", post("/predict/url", {"url": PHOTO_URL + "x"}), 422, only="transformer"),
)

OPERATIONS = (
    *OF_V1,
    *OF_A_SERVER,
    *of_a_model("model", MODEL, "/v2/models/cats"),
    *of_a_model("model_version", VERSION, MODEL + "/versions/9"),
    *OF_A_MODEL,
    *PLAIN,
)
