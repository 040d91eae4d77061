"""A transformer without its predictor says so, and works again without a restart."""

import httpx

from tests.assets import needs_assets
from tests.e2e.photos import samples
from tests.e2e.processes import Pair

pytestmark = needs_assets


def predict(servers: Pair) -> httpx.Response:
    return httpx.post(f"{servers.transformer.url}/predict", files={"file": samples()[0].data}, timeout=30)


def check_away(servers: Pair) -> None:
    answer = predict(servers)
    assert (answer.status_code, answer.json()["code"]) == (503, "predictor_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert httpx.get(f"{servers.transformer.url}/ready").status_code == 503
    assert httpx.get(f"{servers.transformer.url}/health").status_code == 200
    assert httpx.get(f"{servers.transformer.url}/v2/health/live").status_code == 200


def test_the_next_request_works_when_a_predictor_comes_late(apart: Pair) -> None:
    apart.transformer.start().until("/health")
    check_away(apart)
    assert httpx.get(f"{apart.transformer.url}/v2/health/ready").status_code == 503
    assert httpx.get(f"{apart.transformer.url}/model/info").status_code == 503
    apart.predictor.start().until()
    assert predict(apart).json()["predictions"][0]["class_id"] == 285
    assert httpx.get(f"{apart.transformer.url}/ready").status_code == 200


def test_the_next_request_works_when_a_killed_predictor_is_back(apart: Pair) -> None:
    apart.start()
    assert predict(apart).status_code == 200
    apart.predictor.kill()
    check_away(apart)
    assert httpx.get(f"{apart.transformer.url}/v2/health/ready").status_code == 200, "which speaks of this server alone"
    apart.predictor.start().until()
    assert predict(apart).status_code == 200
    assert httpx.get(f"{apart.transformer.url}/ready").status_code == 200


def test_an_idle_transformer_notices_that_its_predictor_is_gone_and_back(apart: Pair) -> None:
    apart.start()
    apart.transformer.until("/ready")
    apart.predictor.kill()
    assert httpx.get(f"{apart.transformer.url}/ready").status_code == 503, "at once"
    apart.predictor.start().until()
    apart.transformer.until("/ready")
