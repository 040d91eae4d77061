"""What the field's clients ask for besides the protocol: compression, classification, health, statistics and more."""

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from oip.statistics import COMPUTE
from tests.assets import needs_assets
from tests.e2e.faces import photo as encoded
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, Process
from tests.e2e.test_errors import b64, check, v2

pytestmark = needs_assets

V2 = "/v2/models/photos/infer"


def photo() -> dict[str, Any]:
    return v2(data=[b64(samples()[0].data)])


def post(url: str, body: bytes, encoding: str = "", **headers: str) -> httpx.Response:
    sent = {"content-encoding": encoding} if encoding else {}
    return httpx.post(url + V2, content=body, headers={"accept-encoding": "identity", **sent, **headers}, timeout=30)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_request_is_read(servers: Pair, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    plain, url = json.dumps(photo()).encode(), servers.transformer.url
    assert post(url, compress(plain), encoding).json() == post(url, plain).json()


def test_a_compressed_request_may_not_grow_over_the_limit(servers: Pair) -> None:
    bomb = gzip.compress(b" " * 40_000_000)
    assert len(bomb) < 50_000
    check(post(servers.predictor.url, bomb, "gzip"), 413, "too_large", "expected at most 16777216 bytes")


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"no" + data, lambda data: data + b"more"])
def test_a_damaged_compressed_request_is_refused(servers: Pair, spoil: Callable[[bytes], bytes]) -> None:
    content = spoil(gzip.compress(json.dumps(photo()).encode()))
    check(post(servers.transformer.url, content, "gzip"), 400, "bad_input", "body: expected")


def test_an_unknown_encoding_is_refused(servers: Pair) -> None:
    check(post(servers.transformer.url, b"{}", "br"), 415, "unsupported_media", "expected gzip or deflate, got 'br'")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_large_answer_is_compressed_when_that_is_asked_for(servers: Pair, encoding: str) -> None:
    asked = photo() | {"parameters": {"top_k": 500}}
    plain = httpx.post(servers.transformer.url + V2, json=asked, headers={"accept-encoding": "identity"})
    packed = httpx.post(servers.transformer.url + V2, json=asked, headers={"accept-encoding": encoding})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == encoding
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


def test_the_transformer_knows_the_classification_extension(servers: Pair) -> None:
    outputs = [{"name": "confidence", "parameters": {"classification": 2}}]
    answer = httpx.post(servers.transformer.url + V2, json=photo() | {"outputs": outputs}, timeout=30).json()
    (output,) = answer["outputs"]
    assert (output["datatype"], output["shape"]) == ("BYTES", [1, 2])
    assert [line.split(":", 1)[1] for line in output["data"]] == ["285:Egyptian cat", "282:tiger cat"]


def test_only_confidence_can_be_classified(servers: Pair) -> None:
    outputs = [{"name": "label", "parameters": {"classification": 2}}]
    answer = httpx.post(servers.transformer.url + V2, json=photo() | {"outputs": outputs}, timeout=30)
    check(answer, 400, "bad_input", "classification of confidence only")


def both(servers: Pair) -> tuple[Process, Process]:
    return servers.predictor, servers.transformer


def test_statistics_count_requests_and_photos_and_add_up(servers: Pair) -> None:
    for process in both(servers):
        before = statistics(process)
        httpx.post(servers.transformer.url + V2, json=v2(shape=[2], data=[b64(samples()[0].data)] * 2), timeout=30)
        httpx.post(f"{process.url}/v2/models/photos/infer", json={"inputs": []}, timeout=30)
        after = statistics(process)
        assert after["inference_count"] - before["inference_count"] == 2
        assert after["execution_count"] - before["execution_count"] == 1
        counted = {part: duration["count"] for part, duration in after["inference_stats"].items()}
        assert counted["fail"] - before["inference_stats"]["fail"]["count"] == 1
        parts = [after["inference_stats"][part] for part in COMPUTE]
        assert {part["count"] for part in parts} == {counted["success"]}
        assert sum(part["ns"] for part in parts) == after["inference_stats"]["success"]["ns"]


def statistics(process: Process) -> dict[str, Any]:
    by_path = [httpx.get(f"{process.url}/v2/models/{path}stats").json() for path in ("photos/", "")]
    assert by_path[0] == by_path[1]
    (model,) = by_path[0]["model_stats"]
    return dict(model)


def spent(process: Process, before: dict[str, Any]) -> dict[str, float]:
    """Seconds in each part of the statistics since then."""
    after, earlier = statistics(process)["inference_stats"], before["inference_stats"]
    return {part: (after[part]["ns"] - earlier[part]["ns"]) / 1e9 for part in after}


def test_decoding_many_photos_hides_nothing_of_the_predictors_time(servers: Pair) -> None:
    """Photos are decoded side by side and wait for each other: their times are not a sum."""
    transformer, predictor = statistics(servers.transformer), statistics(servers.predictor)
    asked = v2(shape=[64], data=[b64(encoded())] * 64)
    httpx.post(servers.transformer.url + V2, json=asked, timeout=60).raise_for_status()
    seconds, of_the_predictor = spent(servers.transformer, transformer), spent(servers.predictor, predictor)
    assert seconds["compute_infer"] >= of_the_predictor["success"] > 0
    assert seconds["compute_input"] > 0
    assert sum(seconds[part] for part in COMPUTE) == pytest.approx(seconds["success"])


@pytest.mark.parametrize("path", ["/predict", "/predict/url", "/v1/models/photos:predict", V2])
def test_a_slow_upload_is_time_of_the_input(servers: Pair, photo_server: PhotoServer, path: str) -> None:
    link = photo_server.url(samples()[0])
    bodies: dict[str, Any] = {
        "/predict": encoded(),
        "/predict/url": {"url": link},
        "/v1/models/photos:predict": {"instances": [{"url": link}]},
        V2: photo(),
    }
    body = bodies[path] if path == "/predict" else json.dumps(bodies[path]).encode()

    def slowly() -> Iterator[bytes]:
        yield body[:1]
        time.sleep(0.5)
        yield body[1:]

    before = statistics(servers.transformer)
    httpx.post(servers.transformer.url + path, content=slowly(), timeout=30).raise_for_status()
    seconds = spent(servers.transformer, before)
    assert seconds["compute_input"] >= 0.4
    assert seconds["compute_output"] < 0.4


PREPROCESSING = {"fingerprint": "1-bilinear-256-224", "resize": "256", "crop": "224", "interpolation": "bilinear"}


def test_the_config_tells_the_fingerprint_and_the_preprocessing(servers: Pair) -> None:
    for process in both(servers):
        config = httpx.get(f"{process.url}/v2/models/photos/config").json()
        told = {name: value["string_value"] for name, value in config["parameters"].items()}
        assert PREPROCESSING.items() <= told.items()


def test_the_config_tells_the_fingerprint(servers: Pair) -> None:
    for process in both(servers):
        config = httpx.get(f"{process.url}/v2/models/photos/config").json()
        assert config["name"] == "photos"
        assert config["parameters"]["fingerprint"] == {"string_value": "1-bilinear-256-224"}
        version = httpx.get(f"{process.url}/v2/models/photos").json()["versions"][0]
        assert httpx.get(f"{process.url}/v2/models/photos/versions/{version}/config").json() == config


def test_the_repository_has_one_model_and_it_is_ready(servers: Pair) -> None:
    for process in both(servers):
        (model,) = httpx.post(f"{process.url}/v2/repository/index").json()
        assert (model["name"], model["state"]) == ("photos", "READY")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/systemsharedmemory/status",
        "/v2/cudasharedmemory/region/x/register",
        "/v2/trace/setting",
        "/v2/logging",
        "/v2/repository/models/photos/unload",
    ],
)
def test_what_is_not_offered_says_so(servers: Pair, path: str) -> None:
    for process in both(servers):
        check(httpx.post(process.url + path), 501, "not_offered", "are not offered")


@pytest.mark.parametrize("method", ["RepositoryModelLoad", "SystemSharedMemoryStatus", "TraceSetting", "LogSettings"])
def test_what_is_not_offered_over_grpc_is_unimplemented(servers: Pair, method: str) -> None:
    for process in both(servers):
        with grpc.insecure_channel(process.grpc) as channel:
            asked: Any = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
            with pytest.raises(grpc.RpcError) as caught:
                asked(b"", timeout=10)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "are not offered" in str(caught.value.details())


def test_grpc_health_answers_for_the_server_and_its_service(servers: Pair) -> None:
    for process in both(servers):
        with grpc.insecure_channel(process.grpc) as channel:
            health: Any = HealthStub(channel)
            for service in ("", "inference.GRPCInferenceService"):
                answer = health.Check(HealthCheckRequest(service=service), timeout=10)
                assert answer.status == HealthCheckResponse.SERVING
            assert next(health.Watch(HealthCheckRequest(), timeout=10)).status == HealthCheckResponse.SERVING
            with pytest.raises(grpc.RpcError) as caught:
                health.Check(HealthCheckRequest(service="cats"), timeout=10)
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_every_service(servers: Pair) -> None:
    for process in both(servers):
        with grpc.insecure_channel(process.grpc) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            services = database.get_services()
            assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(services)
            service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
        assert "ModelInfer" in service.methods_by_name
