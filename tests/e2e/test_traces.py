"""One request is one trace, over both servers, with a span for each piece of work."""

import base64
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from tests.assets import needs_assets
from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, pair, running

pytestmark = needs_assets

CALLER = "b7ad6b7169203331"
INFER, CONFIG = "inference.GRPCInferenceService/ModelInfer", "inference.GRPCInferenceService/ModelConfig"
TRANSFORMER = {"read", "meet", "queue", "decode", "preprocess", "predictor_rpc", "postprocess"}
PREDICTOR = {"read", "queue", "inference", "postprocess"}
OPEN_METRICS = {"accept": "application/openmetrics-text"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as started:
        yield started


@pytest.fixture(scope="module")
def traced(
    collector: Collector, squeezenet: Any, photo_server: PhotoServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Both servers, ready, of which neither begins a sampled trace."""
    settings = {
        "FETCH_ALLOWED_HOSTS": photo_server.host,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER_ARG": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    with running(pair(squeezenet, tmp_path_factory.mktemp("traced"), **settings)) as started:
        yield started


@pytest.fixture
def trace_id() -> str:
    return secrets.token_hex(16)


def context(trace_id: str, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-{CALLER}-{flags}"}


def ask(servers: Pair, headers: dict[str, str]) -> httpx.Response:
    form = {"file": samples()[0].data}
    return httpx.post(f"{servers.transformer.url}/predict", files=form, headers=headers, timeout=30)


def ask_over_grpc(servers: Pair, headers: dict[str, str]) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(samples()[0].data)
    request = pb.ModelInferRequest(model_name=servers.model, inputs=[tensor])
    with grpc.insecure_channel(servers.transformer.grpc) as channel:
        GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30, metadata=tuple(headers.items()))


def own(spans: list[Span], component: str) -> Span:
    """A server's own span for its request."""
    (span,) = (span for span in of(spans, component) if span.kind == "SERVER")
    return span


def of(spans: list[Span], component: str) -> list[Span]:
    return [span for span in spans if span.service == f"image-classifier-{component}"]


def named(spans: list[Span], component: str, name: str) -> Span:
    (span,) = (span for span in of(spans, component) if span.name == name)
    return span


def check_whole(spans: list[Span]) -> None:
    """Every stage of both servers, each below its server's own span and inside of its time."""
    for component, stages in (("transformer", TRANSFORMER), ("predictor", PREDICTOR)):
        server, below = own(spans, component), [span for span in of(spans, component) if span.kind != "SERVER"]
        assert {span.name for span in below} == stages
        assert {span.parent_id for span in below} == {server.id}
        assert all(span.within(server) for span in below)
        assert not any(span.failed for span in (server, *below))
    asking = named(spans, "transformer", "predictor_rpc")
    assert {span.name for span in spans if span.kind == "CLIENT"} == {"predictor_rpc"}
    assert own(spans, "predictor").parent_id == asking.id
    assert own(spans, "predictor").within(asking)
    assert own(spans, "predictor").name == INFER
    assert own(spans, "transformer").parent_id == CALLER
    assert len({span.id for span in spans}) == len(spans)


def test_a_request_over_rest_is_one_trace_of_every_stage(traced: Pair, collector: Collector, trace_id: str) -> None:
    answer = ask(traced, context(trace_id))
    spans = collector.trace(trace_id, servers=2)
    check_whole(spans)
    assert own(spans, "transformer").name == "POST /predict"
    told = {
        "classifier.request_id": answer.headers["x-request-id"],
        "classifier.model": traced.model,
        "classifier.model_version": answer.json()["model_version"],
    }
    for component in ("transformer", "predictor"):
        assert told.items() <= own(spans, component).attributes.items()


def test_a_request_over_grpc_is_one_trace_of_every_stage(traced: Pair, collector: Collector, trace_id: str) -> None:
    ask_over_grpc(traced, context(trace_id))
    spans = collector.trace(trace_id, servers=2)
    check_whole(spans)
    assert own(spans, "transformer").name == INFER


def test_each_photo_has_spans_of_its_own(
    traced: Pair, collector: Collector, photo_server: PhotoServer, trace_id: str
) -> None:
    instances = [{"url": photo_server.url(sample)} for sample in samples()[:3]]
    url = f"{traced.transformer.url}/v1/models/{traced.model}:predict"
    answer = httpx.post(url, json={"instances": instances}, headers=context(trace_id), timeout=30)
    assert answer.status_code == 200, answer.text
    spans = collector.trace(trace_id, servers=2)
    counted = Counter(span.name for span in of(spans, "transformer"))
    assert {"fetch": 3, "decode": 3, "preprocess": 3, "predictor_rpc": 1}.items() <= counted.items()
    assert Counter(span.name for span in of(spans, "predictor"))["inference"] == 1


def test_a_trace_that_came_unsampled_is_sent_by_neither(traced: Pair, collector: Collector, trace_id: str) -> None:
    unsampled = secrets.token_hex(16)
    ask(traced, context(unsampled, "00"))
    ask(traced, {})
    ask(traced, context(trace_id))
    spans = collector.trace(trace_id, servers=2)  # each server sends in order
    assert len(of(spans, "predictor")) > 1
    assert unsampled not in {span.trace_id for span in collector.spans}
    assert {span.parent_id for span in collector.spans if span.name == "POST /predict"} == {CALLER}


def test_durations_on_both_servers_show_the_trace_as_their_exemplar(traced: Pair, trace_id: str) -> None:
    ask(traced, context(trace_id))
    for process, calls in (
        (traced.transformer, {"classifier_predictor_call_duration_seconds"}),
        (traced.predictor, set()),
    ):
        text = httpx.get(f"{process.url}/metrics", headers=OPEN_METRICS).text
        shown = {line.partition("_bucket{")[0] for line in text.splitlines() if f'trace_id="{trace_id}"' in line}
        assert shown == {"classifier_request_duration_seconds", "classifier_stage_duration_seconds"} | calls


def test_a_clients_mistake_is_named_and_no_failure(traced: Pair, collector: Collector, trace_id: str) -> None:
    headers = context(trace_id) | {"content-type": "image/png"}
    httpx.post(f"{traced.transformer.url}/predict", content=b"no photo", headers=headers, timeout=30)
    spans = collector.trace(trace_id)
    assert own(spans, "transformer").attributes["error.type"] == "unsupported_media"
    assert not any(span.failed for span in spans)
    assert of(spans, "predictor") == []


def test_a_predictor_that_is_met_is_so_in_the_trace(traced: Pair, collector: Collector, trace_id: str) -> None:
    instances = [{"image": {"b64": base64.b64encode(samples()[0].data).decode()}}]
    body = {"instances": instances, "parameters": {"fingerprint": "1-bilinear-1-1"}}  # to be sure, it is asked for its
    url = f"{traced.transformer.url}/v1/models/{traced.model}:predict"
    assert httpx.post(url, json=body, headers=context(trace_id), timeout=30).status_code == 503
    spans = collector.trace(trace_id, servers=2)
    meeting = named(spans, "transformer", "meet")
    assert (meeting.kind, own(spans, "predictor").parent_id) == ("CLIENT", meeting.id)
    assert own(spans, "predictor").name == CONFIG
    assert own(spans, "transformer").attributes["error.type"] == "contract_mismatch"


def test_a_predictor_that_is_away_is_marked_where_it_was_missed(
    traced: Pair, collector: Collector, trace_id: str
) -> None:
    traced.predictor.kill()
    assert ask(traced, context(trace_id)).status_code == 503
    spans = collector.trace(trace_id)
    assert own(spans, "transformer").attributes["error.type"] == "predictor_unavailable"
    assert {(span.name, span.kind) for span in spans if span.failed} == {
        ("POST /predict", "SERVER"),
        ("meet", "INTERNAL"),
    }
    traced.predictor.start().until()
