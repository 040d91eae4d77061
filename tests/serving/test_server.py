"""The server over kserve, with a model that does what it is told: limits, deadlines, faults, start and stop."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from oip.inference_pb2 import RepositoryIndexResponse
from tests.e2e.processes import Process

PREDICT = "/v1/models/sleeper:predict"
SETTINGS = {"MODEL_NAME": "sleeper", "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}


def sleeper(log: Path, **settings: str) -> Process:
    return Process("tests.serving.sleeper", SETTINGS | settings, log)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Two requests at once, a deadline of one second."""
    limits = {"MAX_IN_FLIGHT": "2", "REQUEST_TIMEOUT_SECONDS": "1", "MAX_JSON_SIZE": "100000"}
    process = sleeper(tmp_path_factory.mktemp("sleeper") / "log", **limits).start().until()
    yield process
    process.end()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Process]:
    """Not started; a test gives it its settings."""
    process = sleeper(tmp_path / "log")
    yield process
    process.end()


def ask(server: Process, **body: Any) -> httpx.Response:
    return httpx.post(server.url + PREDICT, json=body, timeout=30)


def call(server: Process, timeout: float = 30, **parameters: float | str) -> Any:
    request = pb.ModelInferRequest(model_name="sleeper")
    tensor = pb.ModelInferRequest.InferInputTensor(name="seconds", datatype="FP32", shape=[1])
    tensor.contents.fp32_contents.append(0)
    request.inputs.append(tensor)
    for name, value in parameters.items():
        request.parameters[name].string_param = str(value)
    with grpc.insecure_channel(server.grpc) as channel:
        return GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=timeout)


def index(server: Process, **asked: bool) -> Any:
    return httpx.post(server.url + "/v2/repository/index", content=json.dumps(asked) if asked else b"").json()


def unavailable(reason: str) -> dict[str, str]:
    return {"name": "sleeper", "version": "7", "state": "UNAVAILABLE", "reason": reason}


def ready_over_grpc(server: Process) -> dict[str, bool]:
    """What each method says of readiness."""
    with grpc.insecure_channel(server.grpc) as channel:
        stub = GRPCInferenceServiceStub(channel)
        health: Any = HealthStub(channel)
        repository_index: Any = channel.unary_unary("/inference.GRPCInferenceService/RepositoryIndex")
        (model,) = RepositoryIndexResponse.FromString(repository_index(b"", timeout=5)).models
        return {
            "index": model.state == "READY",
            "server": stub.ServerReady(pb.ServerReadyRequest(), timeout=5).ready,
            "model": stub.ModelReady(pb.ModelReadyRequest(name="sleeper"), timeout=5).ready,
            "health": health.Check(HealthCheckRequest(), timeout=5).status == HealthCheckResponse.SERVING,
        }


def access_line(server: Process, request_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for line in server.log_lines():
            if line.get("request_id") == request_id and "duration_ms" in line:
                return line
        time.sleep(0.05)
    raise AssertionError(f"no line for {request_id}")


def test_a_request_over_the_places_is_answered_503_at_once_and_the_others_are_answered(server: Process) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post(PREDICT, json={"seconds": 0.8}), range(8)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert [answer.status_code for answer in answers].count(200) == 2
    assert {answer.json()["code"] for answer in refused} == {"overloaded"}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert max(answer.elapsed.total_seconds() for answer in refused) < 0.8
    assert ask(server).status_code == 200, "the places are free again"


def test_a_request_over_its_deadline_is_answered_504(server: Process) -> None:
    answer = ask(server, seconds=5)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert answer.elapsed.total_seconds() < 3


def test_a_grpc_call_over_the_servers_deadline_is_deadline_exceeded(server: Process) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(server, seconds=5)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "the request's deadline is over" in str(caught.value.details())


@pytest.mark.parametrize("fault", ["KeyError", "ValueError", "RuntimeError", "OSError", "ZeroDivisionError"])
def test_a_fault_tells_a_client_nothing_and_leaves_its_connection_open(server: Process, fault: str) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        answer = client.post(PREDICT, json={"fault": fault})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "secret" not in answer.text
        assert fault not in answer.text
        assert "connection" not in answer.headers
        port = answer.extensions["network_stream"].get_extra_info("client_addr")
        again = client.post(PREDICT, json={})
        assert again.extensions["network_stream"].get_extra_info("client_addr") == port
    assert f"{fault}: " in server.log.read_text(), "the log has it all"


def test_work_for_a_client_that_has_gone_is_cancelled(server: Process) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url + PREDICT, json={"seconds": 0.9}, headers={"x-request-id": "gone"}, timeout=0.3)
    line = access_line(server, "gone")
    assert (line["status"], line["code"]) == (499, "client_gone")
    assert line["duration_ms"] < 800


def test_a_grpc_call_that_its_client_cancels_is_logged_as_cancelled(server: Process) -> None:
    with pytest.raises(grpc.RpcError):
        call(server, timeout=0.3, seconds=0.9)
    lines = [line for line in server.log_lines() if line.get("route") == "ModelInfer"]
    assert lines[-1]["status"] in {"CANCELLED", "DEADLINE_EXCEEDED"}


def test_the_host_header_is_never_echoed(server: Process) -> None:
    answer = httpx.get(server.url + "/health/", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_ipv6_host_is_listened_on(own: Process) -> None:
    own.settings = {**own.settings, "HOST": "::1"}
    own.start()
    deadline = time.monotonic() + 30
    while "listening on ::1" not in own.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert httpx.get(f"http://[::1]:{own.http_port}/health").status_code == 200
    with grpc.insecure_channel(f"[::1]:{own.grpc_port}") as channel:
        assert GRPCInferenceServiceStub(channel).ServerLive(pb.ServerLiveRequest(), timeout=5).live


def test_a_fault_tells_a_grpc_client_nothing(server: Process) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(server, fault="ValueError")
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in str(caught.value.details())


def test_a_body_over_the_limit_is_413_whether_its_length_is_told_or_not(server: Process) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 1000

    told = httpx.post(server.url + PREDICT, content=b" " * 200_000)
    untold = httpx.post(server.url + PREDICT, content=chunks())
    for answer in (told, untold):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "expected at most 100000 bytes" in answer.json()["error"]


def test_a_server_listens_while_its_model_opens_and_is_not_ready_until_then(own: Process) -> None:
    own.settings = {**own.settings, "OPEN_SECONDS": "2"}
    own.start().until("/health")
    assert httpx.get(own.url + "/v2/health/live").status_code == 200
    for path in ("/v2/health/ready", "/v2/models/sleeper/ready", "/v1/models/sleeper", "/ready"):
        assert httpx.get(own.url + path).status_code == 503, path
    answer = ask(own)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert httpx.get(own.url + "/v2/models/sleeper/config").status_code == 503
    assert index(own) == [unavailable("the model is not ready yet")]
    assert index(own, ready=True) == []
    own.until()
    assert httpx.get(own.url + "/v2/models/sleeper/config").status_code == 200
    assert index(own, ready=True) == [{"name": "sleeper", "version": "7", "state": "READY"}]
    assert httpx.post(own.url + "/v2/repository/index", json={"ready": "yes"}).status_code == 400
    for path in ("/v2/models/sleeper/ready", "/v2/models/sleeper/versions/7/ready", "/v1/models/sleeper", "/ready"):
        assert httpx.get(own.url + path).status_code == 200, path


def test_a_signal_while_the_model_opens_ends_the_server(own: Process) -> None:
    own.settings = {**own.settings, "OPEN_SECONDS": "60"}
    own.start().until("/health")
    assert own.stop() == 0


def test_a_model_that_cannot_open_ends_the_server(own: Process) -> None:
    own.settings = {**own.settings, "OPEN_FAULT": "RuntimeError"}
    assert own.start().wait() == 1


def test_a_draining_server_is_not_ready_but_answers_for_the_drain_delay(own: Process) -> None:
    own.settings = {**own.settings, "DRAIN_DELAY_SECONDS": "2"}
    own.start().until()
    assert all(ready_over_grpc(own).values())
    own.signal()
    own.until("/v2/health/ready", 503)
    for path in ("/v2/models/sleeper/ready", "/v2/models/sleeper/versions/7/ready", "/v1/models/sleeper", "/ready"):
        assert httpx.get(own.url + path).status_code == 503, path
    assert index(own) == [unavailable("the server is stopping")]
    assert index(own, ready=True) == []
    assert not any(ready_over_grpc(own).values())
    assert ask(own).status_code == 200
    assert call(own).model_name == "sleeper"
    assert own.wait() == 0


def test_a_stopping_server_answers_a_long_request_that_it_has_accepted(own: Process) -> None:
    own.start().until()
    with ThreadPoolExecutor(2) as pool:
        over_rest, over_grpc = pool.submit(ask, own, seconds=2), pool.submit(call, own, seconds=2)
        time.sleep(0.7)
        assert own.stop() == 0
        assert over_rest.result().json() == {"predictions": [2.0]}
        assert over_grpc.result().model_name == "sleeper"


def test_a_body_that_never_comes_does_not_keep_a_stopping_server(own: Process) -> None:
    own.settings = {**own.settings, "GRACE_PERIOD_SECONDS": "2", "REQUEST_TIMEOUT_SECONDS": "1"}
    own.start().until()
    with socket.create_connection(("127.0.0.1", own.http_port), timeout=30) as client:
        client.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode())
        time.sleep(0.2)
        assert own.stop() == 0
        assert client.recv(1000).startswith(b"HTTP/1.1 504 ")
