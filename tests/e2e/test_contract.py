"""Transformer and predictor agree on the contract, or say that they do not."""

from pathlib import Path

import httpx
import pytest

from tests.assets import WEIGHTS, needs_assets
from tests.e2e.conftest import make_bundle
from tests.e2e.doors import Doors
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair
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


def test_a_transformer_told_another_fingerprint_refuses_its_predictor(apart: Pair) -> None:
    apart.transformer.settings = {**apart.transformer.settings, "FINGERPRINT": "1-bilinear-232-224"}
    apart.predictor.start().until()
    apart.transformer.start().until("/health")
    refused = predict(apart)
    assert (refused.status_code, refused.json()["code"]) == (503, "contract_mismatch")
    assert "'1-bilinear-232-224'" in refused.json()["error"]
    assert "'1-bilinear-256-224'" in refused.json()["error"]
    assert httpx.get(f"{apart.transformer.url}/v2/health/ready").status_code == 503


def test_both_tell_the_same_fingerprint(servers: Pair) -> None:
    told = {
        httpx.get(f"{each.url}/model/info").json()["fingerprint"] for each in (servers.predictor, servers.transformer)
    }
    assert told == {"1-bilinear-256-224"}
