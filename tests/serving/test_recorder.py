"""What a server records of its requests and of itself, as `/metrics` shows it."""

import gzip
import platform
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from prometheus_client.openmetrics import parser

from serving.errors import leaves
from tests.e2e.processes import Process
from tests.serving.scrape import Scrape

PREDICT = "/v1/models/{model_name}:predict"
ROUTES = {
    PREDICT: "POST",
    "/v2/models/{model_name}/infer": "POST",
    "/v2/models/{model_name}/versions/{version}/infer": "POST",
    "ModelInfer": "grpc",
}
REQUESTS, DURATION = "classifier_requests_total", "classifier_request_duration_seconds"
STAGE, OTHER = "classifier_stage_duration_seconds", "classifier_other_requests_total"


def started(log: Path, **settings: str) -> Process:
    known = {"MODEL_NAME": "sleeper", "LOG_FORMAT": "json", "REQUEST_TIMEOUT_SECONDS": "1", "K_REVISION": "cats-00007"}
    return Process("tests.serving.sleeper", known | settings, log).start()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """Two requests at once, a deadline of one second; none has come yet."""
    process = started(tmp_path / "log", MAX_IN_FLIGHT="2").until()
    yield process
    process.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The same for tests that look at what changes."""
    process = started(tmp_path_factory.mktemp("shared") / "log", MAX_IN_FLIGHT="2").until()
    yield process
    process.end()


def ask(server: Process, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/models/sleeper:predict", json=body, timeout=30)


def infer(server: Process, model: str = "sleeper", timeout: float = 30, **parameters: str) -> None:
    request = pb.ModelInferRequest(model_name=model)
    tensor = pb.ModelInferRequest.InferInputTensor(name="seconds", datatype="FP32", shape=[1])
    tensor.contents.fp32_contents.append(0)
    request.inputs.append(tensor)
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    with grpc.insecure_channel(server.grpc) as channel, suppress(grpc.RpcError):
        GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=timeout)


def leave(server: Process) -> None:
    with suppress(httpx.ReadTimeout):
        httpx.post(f"{server.url}/v1/models/sleeper:predict", json={"seconds": 0.9}, timeout=0.2)


def crowd(server: Process) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: ask(server, seconds=0.5), range(3)))


def eventually(server: Process, name: str, *, over: float = 0, **labels: str) -> Scrape:
    """The first scrape in which that is over a value: some things end after their answer."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        scrape = Scrape.of(server.url)
        if scrape.sum(name, **labels) > over:
            return scrape
        time.sleep(0.05)
    raise AssertionError(f"{name} {labels} stayed at {over}")


ENDS: dict[str, tuple[Callable[[Process], object], str, str, str]] = {
    "an answer": (ask, PREDICT, "success", "ok"),
    "an answer over gRPC": (infer, "ModelInfer", "success", "ok"),
    "a body that is no JSON": (
        lambda server: httpx.post(f"{server.url}/v1/models/sleeper:predict", content=b"{"),
        PREDICT,
        "client_error",
        "bad_input",
    ),
    "another model": (
        lambda server: httpx.post(f"{server.url}/v1/models/dogs:predict", json={}),
        PREDICT,
        "client_error",
        "model_not_found",
    ),
    "another model over gRPC": (lambda server: infer(server, "dogs"), "ModelInfer", "client_error", "model_not_found"),
    "a fault": (lambda server: ask(server, fault="KeyError"), PREDICT, "server_error", "internal"),
    "a fault over gRPC": (lambda server: infer(server, fault="KeyError"), "ModelInfer", "server_error", "internal"),
    "a fault of no kind": (lambda server: ask(server, fault="Odd"), PREDICT, "server_error", "internal"),
    "a fault of no kind over gRPC": (
        lambda server: infer(server, fault="Odd"),
        "ModelInfer",
        "server_error",
        "internal",
    ),
    "an answer that is too late": (lambda server: ask(server, seconds=5), PREDICT, "server_error", "deadline_exceeded"),
    "a request too many": (crowd, PREDICT, "server_error", "overloaded"),
    "a client that leaves": (leave, PREDICT, "cancelled", "client_gone"),
}
"""What is done, at which door, and how that counts."""


@pytest.mark.parametrize("end", ENDS)
def test_a_request_is_counted_by_how_it_ends(shared: Process, end: str) -> None:
    act, route, outcome, code = ENDS[end]
    of_request = {"route": route, "outcome": outcome, "revision": "cats-00007", "model_version": "7"}
    counted = {**of_request, "method": ROUTES[route], "code": code}
    before = Scrape.of(shared.url)
    act(shared)
    after = eventually(shared, REQUESTS, over=before.sum(REQUESTS, **counted), **counted)
    assert after.sum(REQUESTS, **counted) == before.sum(REQUESTS, **counted) + 1
    timed = f"{DURATION}_count"
    assert after.sum(timed, **of_request) - before.sum(timed, **of_request) == 1


def test_every_door_that_infers_has_its_series_before_its_first_request(server: Process) -> None:
    scrape = Scrape.of(server.url)
    for route, method in ROUTES.items():
        for code in ("ok", "client_gone", *(error.code for error in leaves())):
            assert scrape.series(REQUESTS, route=route, method=method, code=code, model_version="7") == 1, code
        assert scrape.series(f"{DURATION}_count", route=route, outcome="server_error", model_version="7") == 1
    assert scrape.values(f"{STAGE}_count", "stage") == {"read", "postprocess"}, "those of this model"
    assert scrape.sum(REQUESTS) == 0


def test_what_a_client_makes_up_is_no_label(server: Process) -> None:
    httpx.post(f"{server.url}/v1/models/made-up:predict", json={})
    httpx.get(f"{server.url}/made-up")
    scrape = eventually(server, OTHER, route="unknown")
    assert not [sample for sample in scrape.samples if "made-up" in sample.labels.values()]


def test_other_doors_are_counted_apart(server: Process) -> None:
    before = Scrape.of(server.url)
    httpx.get(f"{server.url}/health")
    after = eventually(server, OTHER, route="/health")
    assert after.sum(OTHER, route="/health", method="GET", outcome="success") == 1
    assert after.sum(REQUESTS) == before.sum(REQUESTS) == 0


def test_the_time_of_a_request_and_of_its_stages_is_in_seconds(server: Process) -> None:
    ask(server, seconds=0.3, read_seconds=0.2)
    scrape = eventually(server, f"{DURATION}_count", outcome="success")
    assert 0.5 <= scrape.sum(f"{DURATION}_sum", outcome="success") < 1
    assert 0.2 <= scrape.sum(f"{STAGE}_sum", stage="read", revision="cats-00007") < 0.5
    assert scrape.sum(f"{DURATION}_bucket", outcome="success", le="0.5") == 0


def test_the_requests_in_flight_are_those_without_an_answer(server: Process) -> None:
    with ThreadPoolExecutor(2) as pool:
        going = [pool.submit(ask, server, seconds=0.9) for _ in range(2)]
        scrape = eventually(server, "classifier_in_flight_requests")
        assert scrape.sum("classifier_in_flight_requests") in {1, 2}
        assert [each.result().status_code for each in going] == [200, 200]
    scrape = Scrape.of(server.url)
    assert scrape.sum("classifier_in_flight_requests") == 0
    assert scrape.sum("classifier_in_flight_limit_requests") == 2


def test_ready_is_1_from_when_the_model_is(tmp_path: Path) -> None:
    process = started(tmp_path / "log", OPEN_SECONDS="1.5").until("/health")
    try:
        opening = Scrape.of(process.url)
        process.until()
        opened = Scrape.of(process.url)
    finally:
        process.end()
    assert [scrape.sum("classifier_ready") for scrape in (opening, opened)] == [0, 1]


def test_an_event_loop_that_is_held_up_is_seen(server: Process) -> None:
    ask(server, read_seconds=0.9)
    scrape = eventually(server, "classifier_event_loop_lag_seconds_count")
    deadline = time.monotonic() + 5
    while scrape.sum("classifier_event_loop_lag_seconds_sum") < 0.3 and time.monotonic() < deadline:
        scrape = Scrape.of(server.url)
    assert 0.3 <= scrape.sum("classifier_event_loop_lag_seconds_sum") < 1.5


def test_the_server_says_what_it_is_and_what_it_may_use(server: Process) -> None:
    scrape = Scrape.of(server.url)
    build = {"python": platform.python_version(), "kserve": "0.21.0", "revision": "cats-00007"}
    assert scrape.sum("classifier_build_info", **build) == 1
    assert scrape.sum("classifier_model_info", model="sleeper") == 1
    assert scrape.sum("classifier_cpu_limit_cores") > 0
    assert scrape.sum("classifier_memory_limit_bytes") > scrape.sum("process_resident_memory_bytes") > 0


def test_kserves_own_histograms_stay(server: Process) -> None:
    ask(server)
    scrape = eventually(server, "request_predict_seconds_count", model_name="sleeper")
    for part in ("preprocess", "predict", "postprocess"):
        assert scrape.sum(f"request_{part}_seconds_count", model_name="sleeper") == 1


def test_open_metrics_are_given_to_who_accepts_them(server: Process) -> None:
    answer = httpx.get(f"{server.url}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = parser.text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    assert "classifier_requests" in {family.name for family in families}


def test_a_scrape_may_be_compressed_and_may_ask_for_some_names(server: Process) -> None:
    asked = {"name[]": "classifier_ready"}
    plain = httpx.get(f"{server.url}/metrics", params=asked, headers={"accept-encoding": "identity"})
    assert {sample.name for sample in Scrape.read(plain.text).samples} == {"classifier_ready"}
    with httpx.stream("GET", f"{server.url}/metrics", headers={"accept-encoding": "gzip"}) as answer:
        whole = Scrape.read(gzip.decompress(b"".join(answer.iter_raw())).decode())
    assert answer.headers["content-encoding"] == "gzip"
    assert whole.series("classifier_ready") == 1


def test_a_server_that_drains_can_be_scraped(tmp_path: Path) -> None:
    process = started(tmp_path / "log", DRAIN_DELAY_SECONDS="2").until()
    process.signal()
    process.until(status=503)
    scrape = Scrape.of(process.url)
    process.wait()
    assert scrape.series("classifier_ready") == 1
    assert scrape.sum("classifier_ready") == 0


def test_an_environment_made_for_many_processes_changes_nothing(tmp_path: Path) -> None:
    process = started(tmp_path / "log", PROMETHEUS_MULTIPROC_DIR=str(tmp_path)).until()
    try:
        ask(process)
        scrape = eventually(process, REQUESTS, code="ok")
    finally:
        process.end()
    assert scrape.sum("process_cpu_seconds_total") > 0
    assert scrape.sum("classifier_model_info", model="sleeper") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"log"}
