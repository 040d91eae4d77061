"""The document at `/openapi.json`: valid, complete, and in the words of docs/api.md."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from serving.openapi import REASONS
from serving.server import ModelServer
from serving.settings import ServerSettings, read
from serving.v1 import METHODS
from serving.v2 import NOT_OFFERED
from transformer.plain import plain_router
from transformer.settings import TransformerSettings

API = Path(__file__).resolve().parents[2] / "docs" / "api.md"

NAMES = {
    "v1_models": "GET /v1/models",
    "v1_model_ready": "GET /v1/models/{model_name}",
    "v1_predict": "POST /v1/models/{model_name}:predict",
    "server_metadata": "GET /v2",
    "server_live": "GET /v2/health/live",
    "server_ready": "GET /v2/health/ready",
    "statistics": "GET /v2/models/stats",
    "repository_index": "POST /v2/repository/index",
    "model_infer": "POST /v2/models/{model_name}/infer",
    "model_metadata": "GET /v2/models/{model_name}",
    "model_ready": "GET /v2/models/{model_name}/ready",
    "model_config": "GET /v2/models/{model_name}/config",
    "model_statistics": "GET /v2/models/{model_name}/stats",
    "model_version_infer": "POST /v2/models/{model_name}/versions/{version}/infer",
    "model_version_metadata": "GET /v2/models/{model_name}/versions/{version}",
    "model_version_ready": "GET /v2/models/{model_name}/versions/{version}/ready",
    "model_version_config": "GET /v2/models/{model_name}/versions/{version}/config",
    "model_version_statistics": "GET /v2/models/{model_name}/versions/{version}/stats",
    "health": "GET /health",
    "ready": "GET /ready",
    "model_info": "GET /model/info",
    "metrics": "GET /metrics",
    "predict": "POST /predict",
    "predict_url": "POST /predict/url",
}
"""Clients are generated from these names: they stay."""

HIDDEN = {"GET /", "GET /v2/", "GET /openapi.json", "HEAD /openapi.json"} | {
    f"{method} /v2{path}" for method in ("GET", "POST") for path in NOT_OFFERED
}
HIDDEN |= {f"{method} /v1/models/{{model_name}}:{{verb}}" for method in METHODS}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Every door of both servers."""
    server = ModelServer(read(ServerSettings, []), FastAPI(title="test", docs_url=None, redoc_url=None))
    settings = read(TransformerSettings, ["--predictor_host=127.0.0.1:1"])
    server.app.include_router(plain_router(server.plane, settings))
    server.add_doors()
    return server.app


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_operations_keep_their_names(document: dict[str, Any]) -> None:
    assert {each["operationId"]: door for door, each in operations(document)} == NAMES


def test_every_route_is_told_or_hidden_on_purpose(app: FastAPI, document: dict[str, Any]) -> None:
    contexts = iter_route_contexts(app.routes)
    routes = {f"{method} {context.path}" for context in contexts for method in context.methods or ()}
    assert routes - {door for door, _ in operations(document)} == HIDDEN


def test_every_operation_has_a_summary_and_one_tag(document: dict[str, Any]) -> None:
    for _, each in operations(document):
        assert each["summary"]
        assert len(each["tags"]) == 1


def test_every_post_tells_its_body_and_no_get_has_one(document: dict[str, Any]) -> None:
    for door, each in operations(document):
        assert ("requestBody" in each) == door.startswith("POST"), door


def test_a_model_is_named_in_the_path_alone(document: dict[str, Any]) -> None:
    for door, each in operations(document):
        parameters = {(parameter["in"], parameter["name"]) for parameter in each.get("parameters", [])}
        assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", door))
        assert {name for place, name in parameters if place == "query"} <= {"top_k"}


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    found = list(examples(document["paths"]))
    assert len(found) > 30
    for schema, value in found:
        assert not errors(document, schema, value)


def test_every_named_schema_is_referred_to(document: dict[str, Any]) -> None:
    referred = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert document["components"]["schemas"].keys() == referred


def test_an_error_comes_for_the_reason_that_docs_api_md_tells(document: dict[str, Any]) -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| \d+ \| \w+ \| \w+ \| (.+) \|$", API.read_text(), re.MULTILINE))
    assert {leaf.code: reason for leaf, reason in REASONS.items()}.items() <= table.items()


def test_a_status_tells_the_codes_that_come_with_it(document: dict[str, Any]) -> None:
    error = {"error": "x", "code": "not_ready"}
    answers = document["paths"]["/v2/models/{model_name}/ready"]["get"]["responses"]
    schemas = {status: answers[status]["content"]["application/json"]["schema"] for status in ("404", "503")}
    assert errors(document, schemas["404"], error)
    assert not errors(document, schemas["503"], error)


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [1], "datatype": "INT32", "data": [1]} | changes


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("error", {"error": "x"}),
        ("error", {"detail": "x", "code": "bad_input"}),
        ("predict_request", {"inputs": []}),
        ("predict_request", {"instances": []}),
        ("predict_request", {"instances": [1]}),
        ("predict_request", {"instances": [{}] * 65}),
        ("prediction", {"class_id": 1, "label": "cat"}),
        ("prediction", {"class_id": 1, "label": "cat", "confidence": 1.5}),
        ("inference_request", {}),
        ("inference_request", {"inputs": []}),
        ("inference_request", {"inputs": [tensor()], "id": 7}),
        ("inference_request", {"inputs": [tensor()], "parameters": {"a": None}}),
        ("inference_request", {"inputs": [tensor()], "parameters": {"binary_data_output": "yes"}}),
        ("inference_request", {"inputs": [tensor()], "outputs": [{}]}),
        ("request_input", tensor(shape=[-1])),
        ("request_input", tensor(datatype="int32")),
        ("request_input", tensor(data=[[None]])),
        ("request_output", {"name": "x", "parameters": {"classification": 0}}),
        ("inference_response", {"model_name": "m"}),
        ("metadata_tensor", {"name": "x", "datatype": "INT32", "shape": [-2]}),
        ("repository_index_request", {"ready": "yes"}),
        ("repository_index_response", {"models": []}),
        ("model_ready", {"name": "m", "ready": False}),
    ],
)
def test_a_schema_refuses(document: dict[str, Any], schema: str, value: object) -> None:
    assert errors(document, document["components"]["schemas"][schema], value)


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """`GET /path` with what stands there."""
    paths = document["paths"]
    return [(f"{method.upper()} {path}", each) for path in paths for method, each in paths[path].items()]


def examples(node: object) -> Iterator[tuple[dict[str, Any], object]]:
    """Schema and value of every example below."""
    if isinstance(node, dict):
        if "schema" in node:
            yield from ((node["schema"], example["value"]) for example in node.get("examples", {}).values())
        else:
            for each in node.values():
                yield from examples(each)


def errors(document: dict[str, Any], schema: dict[str, Any], value: object) -> list[Any]:
    return list(OAS31Validator({"components": document["components"], **schema}).iter_errors(value))
