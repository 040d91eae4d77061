"""The statistics say where the time of a request went: what was read, what was computed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from oip.statistics import COMPUTE
from tests.e2e.processes import Process

V1, V2 = "/v1/models/sleeper:predict", "/v2/models/sleeper/infer"
TENSOR = {"name": "seconds", "datatype": "FP32", "shape": [1], "data": [0]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("sleeper") / "log"
    process = Process("tests.serving.sleeper", {"MODEL_NAME": "sleeper"}, log).start().until()
    yield process
    process.end()


def over_v1(server: Process, **wishes: float | str) -> None:
    assert httpx.post(server.url + V1, json=wishes, timeout=30).status_code == 200


def over_v2(server: Process, **wishes: float | str) -> None:
    document = {"inputs": [TENSOR], "parameters": wishes}
    assert httpx.post(server.url + V2, json=document, timeout=30).status_code == 200


def over_grpc(server: Process, **wishes: float | str) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(name="seconds", datatype="FP32", shape=[1])
    request = pb.ModelInferRequest(model_name="sleeper", inputs=[tensor], raw_input_contents=[bytes(4)])
    for name, value in wishes.items():
        request.parameters[name].string_param = str(value)
    with grpc.insecure_channel(server.grpc) as channel:
        GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)


def spent(server: Process, ask: Callable[[], None]) -> dict[str, float]:
    """Seconds in each part of the statistics that the request brought, which add up."""
    before = statistics(server)
    ask()
    after = statistics(server)
    seconds = {part: (after[part]["ns"] - before[part]["ns"]) / 1e9 for part in after}
    assert sum(after[part]["ns"] for part in COMPUTE) == after["success"]["ns"]
    assert sum(seconds[part] for part in COMPUTE) == pytest.approx(seconds["success"])
    return seconds


def statistics(server: Process) -> Any:
    (model,) = httpx.get(server.url + "/v2/models/stats").json()["model_stats"]
    return model["inference_stats"]


DOORS = {"V1": over_v1, "V2": over_v2, "gRPC": over_grpc}


@pytest.mark.parametrize("door", DOORS)
def test_decoding_a_request_is_time_of_its_input(server: Process, door: str) -> None:
    seconds = spent(server, lambda: DOORS[door](server, read_seconds=0.4))
    assert seconds["compute_input"] >= 0.4
    assert seconds["compute_output"] < 0.3


@pytest.mark.parametrize(("path", "document"), [(V1, {}), (V2, {"inputs": [TENSOR]})])
def test_a_slow_upload_is_time_of_its_input(server: Process, path: str, document: dict[str, Any]) -> None:
    def slowly() -> Iterator[bytes]:
        yield b" "
        time.sleep(0.5)
        yield json.dumps(document).encode()

    seconds = spent(
        server, lambda: httpx.post(server.url + path, content=slowly(), timeout=30).raise_for_status().close()
    )
    assert seconds["compute_input"] >= 0.4
    assert seconds["compute_output"] < 0.3


@pytest.mark.parametrize("door", DOORS)
def test_a_failure_is_no_time_of_any_part(server: Process, door: str) -> None:
    def failing() -> None:
        with suppress(AssertionError, grpc.RpcError):
            DOORS[door](server, seconds=0.2, fault="ValueError")

    seconds = spent(server, failing)
    assert seconds["fail"] >= 0.19
    assert seconds["success"] == 0
