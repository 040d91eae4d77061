"""Traces go to a collector where there is one, and one that is away holds nothing up."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.processes import Process, free_port
from tests.serving.talker import SERVICE

NAME = "sleeper"
PREDICT = f"/v1/models/{NAME}:predict"
TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def sleeping(log: Path, endpoint: str, share: str = "1", **settings: str) -> Iterator[Process]:
    """A server that sends its traces there, ready."""
    tracing = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_TRACES_SAMPLER_ARG": share,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    common = {"MODEL_NAME": NAME, "LOG_FORMAT": "json", "REQUEST_TIMEOUT_SECONDS": "2", "GRACE_PERIOD_SECONDS": "5"}
    process = Process("tests.serving.sleeper", common | tracing | settings, log)
    try:
        yield process.start().until()
    finally:
        process.end()


@contextmanager
def mute() -> Iterator[str]:
    """Where connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Keeps every trace that begins there."""
    with sleeping(tmp_path_factory.mktemp("traced") / "log", collector.url, K_REVISION="r-1") as process:
        yield process


def ask(process: Process, flags: str = "", trace_id: str = TRACE_ID, **wishes: Any) -> httpx.Response:
    headers = {"traceparent": f"00-{trace_id}-{PARENT_ID}-{flags}"} if flags else {}
    return httpx.post(process.url + PREDICT, json=wishes, headers=headers, timeout=30)


def own_of(spans: list[Span]) -> Span:
    """The server's own span for its request."""
    (own,) = (span for span in spans if span.kind == "SERVER")
    return own


def id_of(answer: httpx.Response) -> str:
    return answer.headers["x-request-id"]


def test_a_request_begins_a_trace_with_a_span_of_each_stage(traced: Process, collector: Collector) -> None:
    answer = ask(traced, seconds=0.05)
    spans = collector.trace_of(id_of(answer))
    own = own_of(spans)
    assert own.name == f"POST {PREDICT.replace(NAME, '{model_name}')}"
    assert own.parent_id == ""
    assert own.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/models/{model_name}:predict",
        "http.response.status_code": 200,
        "classifier.request_id": answer.headers["x-request-id"],
        "classifier.model": NAME,
        "classifier.model_version": "7",
    }
    stages = [span for span in spans if span is not own]
    assert {span.name for span in stages} == {"read", "postprocess"}
    assert {(span.parent_id, span.kind) for span in stages} == {(own.id, "INTERNAL")}
    assert all(span.within(own) for span in stages)


def test_spans_lie_where_the_clock_was(traced: Process, collector: Collector) -> None:
    before = time.time_ns()
    own = own_of(collector.trace_of(id_of(ask(traced, seconds=0.05))))
    received = time.time_ns()
    started, ended = own.message.start_time_unix_nano, own.message.end_time_unix_nano
    assert before <= started <= ended - 50_000_000
    assert ended <= received


def test_a_sender_says_who_it_is(traced: Process, collector: Collector) -> None:
    own = own_of(collector.trace_of(id_of(ask(traced))))
    wanted = {"service.name": "image-classifier-server", "service.version": "0.1.0", "classifier.revision": "r-1"}
    assert wanted.items() <= own.sender.items()


def test_a_trace_that_came_along_goes_on(traced: Process, collector: Collector) -> None:
    ask(traced, "01", "1" * 32)
    own = own_of(collector.trace("1" * 32))
    assert own.parent_id == PARENT_ID


def test_an_unsampled_trace_that_came_along_is_not_sent(traced: Process, collector: Collector) -> None:
    ask(traced, "00", "2" * 32)
    ask(traced, "01", "3" * 32)
    collector.trace("3" * 32)  # sent in order
    assert "2" * 32 not in {span.trace_id for span in collector.spans}


@pytest.mark.parametrize(
    ("wishes", "status", "code"),
    [({"fault": "ValueError"}, 500, "internal"), ({"seconds": 3}, 504, "deadline_exceeded")],
)
def test_a_request_that_fails_is_marked(
    wishes: dict[str, Any], status: int, code: str, traced: Process, collector: Collector
) -> None:
    answer = ask(traced, **wishes)
    own = own_of(collector.trace_of(id_of(answer)))
    assert (own.attributes["http.response.status_code"], own.attributes["error.type"]) == (status, code)
    assert own.failed


def test_a_clients_mistake_is_named_and_not_marked(traced: Process, collector: Collector) -> None:
    answer = httpx.post(traced.url + PREDICT, content=b"{")
    spans = collector.trace_of(id_of(answer))
    own = own_of(spans)
    assert (own.attributes["http.response.status_code"], own.attributes["error.type"]) == (400, "bad_input")
    assert not any(span.failed for span in spans)


def test_a_call_over_grpc_is_a_span_under_the_trace_that_came_along(traced: Process, collector: Collector) -> None:
    metadata = (("traceparent", f"00-{'4' * 32}-{PARENT_ID}-01"),)
    with grpc.insecure_channel(traced.grpc) as channel:
        method: Any = channel.unary_unary(f"/{SERVICE}/ModelInfer")
        with pytest.raises(grpc.RpcError):
            method(b"\x0a\x01x", metadata=metadata, timeout=10)
    own = own_of(collector.trace("4" * 32))
    assert (own.name, own.parent_id) == (f"{SERVICE}/ModelInfer", PARENT_ID)
    told = {"rpc.system.name": "grpc", "rpc.response.status_code": "NOT_FOUND", "error.type": "model_not_found"}
    assert told.items() <= own.attributes.items()
    assert not own.failed


def test_what_probes_repeat_begins_no_trace_and_goes_on_with_one(traced: Process, collector: Collector) -> None:
    assert httpx.get(f"{traced.url}/health").status_code == 200
    httpx.get(f"{traced.url}/health", headers={"traceparent": f"00-{'5' * 32}-{PARENT_ID}-01"})
    collector.trace("5" * 32)
    assert [span.trace_id for span in collector.spans if span.name == "GET /health"] == ["5" * 32]


def test_durations_show_the_trace_as_their_exemplar(traced: Process) -> None:
    ask(traced, "01", "6" * 32)
    text = httpx.get(f"{traced.url}/metrics", headers={"accept": "application/openmetrics-text"}).text
    lines = [line for line in text.splitlines() if f'trace_id="{"6" * 32}"' in line]
    assert {line.partition("{")[0] for line in lines} == {
        "classifier_request_duration_seconds_bucket",
        "classifier_stage_duration_seconds_bucket",
    }
    assert all('span_id="' in line for line in lines)


def test_with_no_share_only_what_came_sampled_is_sent_and_a_stop_sends_the_last(tmp_path: Path) -> None:
    with (
        collecting() as collector,
        sleeping(tmp_path / "log", collector.url, "0", OTEL_BSP_SCHEDULE_DELAY="60000") as process,
    ):
        ask(process)
        ask(process, "01")
        assert collector.spans == []
        assert process.stop() == 0
        assert {span.trace_id for span in collector.spans} == {TRACE_ID}


def test_nothing_is_sent_without_an_endpoint(tmp_path: Path) -> None:
    with (
        collecting() as collector,
        sleeping(tmp_path / "log", "", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url) as process,
    ):
        assert ask(process, "01").status_code == 200
        text = httpx.get(f"{process.url}/metrics", headers={"accept": "application/openmetrics-text"}).text
        assert process.stop() == 0
        assert collector.spans == []
        assert "trace_id" not in text


def test_a_collector_that_is_away_is_told_of_once_and_taken_up_again(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with sleeping(log, f"http://127.0.0.1:{port}", OTEL_EXPORTER_OTLP_TIMEOUT="1") as process:

        def said() -> list[str]:
            return [line["level"] for line in process.log_lines() if line["logger"] == "serving.tracing"]

        def until(wanted: list[str]) -> None:
            deadline = time.monotonic() + 20
            while said() != wanted:
                assert time.monotonic() < deadline, log.read_text()
                assert ask(process).status_code == 200
                time.sleep(0.1)

        until(["WARNING"])
        for _ in range(20):
            assert ask(process).status_code == 200
            time.sleep(0.1)
        assert said() == ["WARNING"]
        with collecting(port) as collector:
            until(["WARNING", "INFO"])
            assert collector.spans
        assert process.stop() == 0
    assert "Traceback" not in log.read_text()
    assert "opentelemetry" not in log.read_text()


def test_a_collector_that_never_answers_holds_up_neither_requests_nor_the_stop(tmp_path: Path) -> None:
    with mute() as endpoint, sleeping(tmp_path / "log", endpoint) as process:
        for _ in range(5):
            assert ask(process).elapsed.total_seconds() < 5
        started = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - started < 8, "not the 10 s and more that sending may take"
        (line,) = [line for line in process.log_lines() if line["logger"] == "serving.tracing"]
        assert (line["level"], "could not be sent" in line["message"]) == ("WARNING", True)


def test_an_endpoint_without_the_sdk_ends_the_start_in_one_line() -> None:
    program = (
        "import runpy, sys; sys.modules['opentelemetry.sdk'] = None; "
        "runpy.run_module('tests.serving.sleeper', run_name='__main__')"
    )
    command = [sys.executable, "-c", program, "--otel_exporter_otlp_endpoint", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    *_, last = done.stderr.splitlines()
    assert done.returncode == 1
    assert "cannot start: otel_exporter_otlp_endpoint: expected OpenTelemetry installed" in last
    assert "Traceback" not in done.stderr
