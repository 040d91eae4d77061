"""Transformer and predictor agree on the contract, or say that they do not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from tests.assets import WEIGHTS, needs_assets
from tests.bundles import make_bundle
from tests.e2e.doors import Doors
from tests.e2e.faces import photo, photo_b64
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair, Process, pair
from tests.e2e.relay import Relay
from tests.e2e.test_doors import check

pytestmark = needs_assets


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network on larger pictures: resize 300, crop 280."""
    out = tmp_path_factory.mktemp("bundles") / "larger"
    sizes = ("--resize", "300", "--crop", "280")
    return make_bundle(out, "--arch", "squeezenet1_1", "--weights", str(WEIGHTS), *sizes)


def predict(servers: Pair) -> httpx.Response:
    return httpx.post(f"{servers.transformer.url}/predict", files={"file": samples()[0].data}, timeout=30)


def test_a_predictor_of_other_sizes_is_followed(apart: Pair, larger: Path) -> None:
    apart.predictor.settings = {**apart.predictor.settings, "MODEL_DIR": str(larger)}
    apart.start()
    reference = Reference("squeezenet1_1", WEIGHTS, resize=300, crop=280)
    doors = Doors(apart, reference, lambda sample: sample.name)
    expected = reference.probabilities()
    for door in ("transformer V1 image", "transformer V2 binary", "predictor gRPC"):
        for best, row in zip(doors.batch(5)[door](samples()), expected, strict=True):
            check(best, row)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model: other sizes, three classes, untrained."""
    folder = tmp_path_factory.mktemp("bundles")
    (folder / "labels.txt").write_text("ant\nbee\ncat\n")
    options = ("--labels", str(folder / "labels.txt"), "--resize", "300", "--crop", "280")
    return make_bundle(folder / "other", "--arch", "squeezenet1_1", "--weights", "untrained", *options)


def test_a_predictor_that_came_back_as_another_model_is_followed_at_once(apart: Pair, other: Path) -> None:
    apart.start()
    assert predict(apart).json()["predictions"][0]["label"] == "Egyptian cat"
    assert apart.predictor.stop() == 0
    apart.predictor.settings = {**apart.predictor.settings, "MODEL_DIR": str(other), "ALLOW_UNTRAINED": "true"}
    apart.predictor.start().until()
    answer = predict(apart)
    assert {prediction["label"] for prediction in answer.json()["predictions"]} == {"ant", "bee", "cat"}
    assert answer.json()["model_version"] == "untrained"
    info = httpx.get(f"{apart.transformer.url}/model/info").json()
    assert (info["model_version"], info["trained"], info["classes"]) == ("untrained", False, 3)


OURS, LARGER = "1-bilinear-256-224", "1-bilinear-300-280"


def check_refused(answer: httpx.Response, said: str) -> None:
    """With both fingerprints named, and not as something that a later try helps."""
    assert (answer.status_code, answer.json()["code"]) == (503, "contract_mismatch"), answer.text
    assert said in answer.json()["error"]
    assert "retry-after" not in answer.headers


def restart(process: Process, settings: Mapping[str, str]) -> None:
    assert process.stop() == 0
    process.settings = settings
    process.start().until()


def inferences(process: Process) -> int:
    """Calls for an inference that came to the predictor."""
    return len([line for line in process.log_lines() if line.get("route") == "ModelInfer"])


def test_a_transformer_of_one_contract_refuses_its_predictor_until_they_match(apart: Pair, larger: Path) -> None:
    apart.transformer.settings = {**apart.transformer.settings, "FINGERPRINT": LARGER}
    apart.predictor.start().until()
    apart.transformer.start().until("/health")
    for _ in range(5):
        check_refused(predict(apart), f"the transformer's is {LARGER!r}, the predictor's is {OURS!r}")
    assert httpx.get(f"{apart.transformer.url}/v2/health/ready").status_code == 503
    assert inferences(apart.predictor) == 0, "refused before any work"
    restart(apart.predictor, {**apart.predictor.settings, "MODEL_DIR": str(larger)})
    assert predict(apart).status_code == 200, "the first request after they match"
    apart.transformer.until()


def test_a_predictor_replaced_by_one_of_another_contract_is_refused_until_it_is_back(apart: Pair, larger: Path) -> None:
    apart.transformer.settings = {**apart.transformer.settings, "FINGERPRINT": OURS}
    apart.start()
    assert predict(apart).status_code == 200
    seen, settings = inferences(apart.predictor), apart.predictor.settings
    restart(apart.predictor, {**settings, "MODEL_DIR": str(larger)})
    for _ in range(5):
        check_refused(predict(apart), f"the transformer's is {OURS!r}, the predictor's is {LARGER!r}")
    assert inferences(apart.predictor) == seen, "refused before any work"
    restart(apart.predictor, settings)
    assert predict(apart).status_code == 200, "the first request after they match"


def test_a_predictor_refuses_what_was_made_for_another_and_is_followed_by_the_next_request(
    servers: Pair, larger: Path, tmp_path: Path
) -> None:
    """Behind one connection, as with a mesh, where the transformer cannot notice by itself."""
    other = pair(larger, tmp_path)
    with Relay(servers.predictor.grpc).running() as relay:
        other.transformer.settings = {**other.transformer.settings, "PREDICTOR_HOST": relay.address}
        try:
            other.predictor.start().until()
            other.transformer.start().until()
            assert predict(other).headers["x-fingerprint"] == OURS
            for target, its, old in ((other.predictor.grpc, LARGER, OURS), (servers.predictor.grpc, OURS, LARGER)):
                relay.target = target
                relay.calls.clear()
                check_refused(predict(other), f"the predictor's is {its!r}, the request's is {old!r}")
                assert relay.calls == ["ModelInfer"], "sent once"
                assert predict(other).headers["x-fingerprint"] == its
                assert relay.calls == ["ModelInfer", "ModelConfig", "ModelInfer"]
            relay.target = other.predictor.grpc
            assert over_v2(other, fingerprint=LARGER).status_code == 200, "the transformer asks before it refuses"
        finally:
            other.end()


def test_both_tell_the_same_fingerprint(servers: Pair) -> None:
    told = {
        httpx.get(f"{each.url}/model/info").json()["fingerprint"] for each in (servers.predictor, servers.transformer)
    }
    assert told == {"1-bilinear-256-224"}


def over_v1(servers: Pair, **parameters: str) -> httpx.Response:
    document = {"instances": [{"image": {"b64": photo_b64()}}], "parameters": parameters}
    return httpx.post(f"{servers.transformer.url}/v1/models/photos:predict", json=document, timeout=30)


def over_v2(servers: Pair, **parameters: str) -> httpx.Response:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [photo_b64()]}
    document = {"inputs": [tensor], "parameters": parameters}
    return httpx.post(f"{servers.transformer.url}/v2/models/photos/infer", json=document, timeout=30)


def over_grpc(servers: Pair, **parameters: str) -> Any:
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[1])
    tensor.contents.bytes_contents.append(photo())
    request = pb.ModelInferRequest(model_name="photos", inputs=[tensor])
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    with grpc.insecure_channel(servers.transformer.grpc) as channel:
        return GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)


@pytest.mark.parametrize("door", [over_v1, over_v2])
def test_a_request_for_another_contract_is_refused_by_the_transformer(servers: Pair, door: Any) -> None:
    seen = inferences(servers.predictor)
    check_refused(door(servers, fingerprint="nonsense"), f"the transformer's is {OURS!r}, the request's is 'nonsense'")
    assert door(servers, fingerprint=OURS).status_code == 200
    assert inferences(servers.predictor) == seen + 1, "the one that was not refused"


def test_a_request_for_another_contract_is_refused_over_grpc(servers: Pair) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        over_grpc(servers, fingerprint="nonsense")
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert f"the transformer's is {OURS!r}, the request's is 'nonsense'" in str(caught.value.details())
    assert over_grpc(servers, fingerprint=OURS).model_name == "photos"


def test_an_answer_tells_its_fingerprint_on_every_door_of_the_transformer(servers: Pair) -> None:
    assert over_v2(servers).json()["parameters"] == {"fingerprint": OURS, "revision": ""}
    told = {name: value.string_param for name, value in over_grpc(servers).parameters.items()}
    assert told == {"fingerprint": OURS, "revision": ""}
    assert {answer.headers["x-fingerprint"] for answer in (over_v1(servers), over_v2(servers), predict(servers))} == {
        OURS
    }
    assert "x-fingerprint" not in httpx.get(f"{servers.transformer.url}/health").headers
