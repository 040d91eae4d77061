"""One line a request, on both servers, under one id and one trace."""

import time
from typing import Any

import httpx

from tests.assets import needs_assets
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process

pytestmark = needs_assets

TRACE = "0af7651916cd43dd8448eb211c80319c"


def access_lines(process: Process, request_id: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        lines = [line for line in process.log_lines() if line["logger"] == "access" and "duration_ms" in line]
        if found := [line for line in lines if line["request_id"] == request_id]:
            return found
        time.sleep(0.05)
    return []


def ask(servers: Pair, request_id: str, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{servers.transformer.url}/predict",
        params={"top_k": 1, "secret": "do-not-log"},
        content=samples()[0].data,
        headers={"content-type": "image/png", "x-request-id": request_id} | headers,
        timeout=30,
    )


def test_a_request_has_one_line_on_each_server_under_its_id_and_trace(servers: Pair) -> None:
    answer = ask(servers, "logged-1", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "logged-1"
    (transformer,) = access_lines(servers.transformer, "logged-1")
    (predictor,) = access_lines(servers.predictor, "logged-1")
    assert transformer["trace_id"] == predictor["trace_id"] == TRACE
    assert (transformer["route"], transformer["status"]) == ("/predict", 200)
    assert (predictor["route"], predictor["status"]) == ("ModelInfer", "OK")
    assert transformer["model_version"] == predictor["model_version"] == answer.json()["model_version"]
    assert {"read", "decode", "preprocess", "predictor_rpc", "postprocess"} <= transformer["stages_ms"].keys()
    assert {"read", "queue", "inference", "postprocess"} <= predictor["stages_ms"].keys()
    assert sum(transformer["stages_ms"].values()) <= transformer["duration_ms"]


def test_a_line_holds_no_query(servers: Pair) -> None:
    ask(servers, "logged-2")
    assert access_lines(servers.transformer, "logged-2")
    assert "do-not-log" not in servers.transformer.log.read_text()


def test_an_id_that_could_forge_a_log_is_replaced(servers: Pair) -> None:
    answer = ask(servers, "two words")
    assert answer.status_code == 200
    assert len(answer.headers["x-request-id"]) == 32


def test_an_error_is_logged_with_its_code(servers: Pair) -> None:
    httpx.post(f"{servers.transformer.url}/predict", content=b"", headers={"x-request-id": "logged-3"})
    (line,) = access_lines(servers.transformer, "logged-3")
    assert (line["status"], line["code"]) == (400, "bad_input")
