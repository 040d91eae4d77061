"""The pages for people load nothing from elsewhere."""

import re

import httpx
import pytest

from tests.assets import needs_assets
from tests.e2e.photos import samples
from tests.e2e.processes import Pair

pytestmark = needs_assets


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_loads_only_from_this_server(servers: Pair, page: str) -> None:
    url = servers.transformer.url
    html = httpx.get(url + page).text
    assets = [asset for asset in re.findall(r'(?:src|href)="([^"]+)"', html) if not asset.startswith("data:")]
    assert assets
    assert [asset for asset in assets if not asset.startswith("/")] == []
    assert {httpx.get(url + asset).status_code for asset in assets} == {200}


@pytest.mark.parametrize("page", ["/docs", "/redoc", "/ui", "/openapi.json", "/static-offline-docs/favicon.png"])
def test_a_page_answers_to_head_as_to_get_without_its_body(servers: Pair, page: str) -> None:
    with httpx.Client(base_url=servers.transformer.url) as client:
        head, get = client.head(page), client.get(page)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


def test_a_file_of_the_documentation_says_what_it_allows(servers: Pair) -> None:
    answer = httpx.post(servers.transformer.url + "/static-offline-docs/favicon.png")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_the_page_may_talk_to_this_server_alone(servers: Pair) -> None:
    answer = httpx.get(servers.transformer.url + "/ui")
    assert answer.status_code == 200
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert re.findall(r"https?:", answer.text) == []


def test_openapi_lists_the_plain_doors_with_their_errors(servers: Pair) -> None:
    document = httpx.get(servers.transformer.url + "/openapi.json").json()
    predict = document["paths"]["/predict"]["post"]
    assert "multipart/form-data" in predict["requestBody"]["content"]
    assert {"200", "400", "413", "415", "422", "502", "503", "504"} <= predict["responses"].keys()
    assert {"/predict/url", "/health", "/ready", "/metrics", "/model/info"} <= document["paths"].keys()


def test_openapi_tells_of_no_answer_that_is_not_given(servers: Pair) -> None:
    for process in (servers.predictor, servers.transformer):
        assert "ValidationError" not in httpx.get(process.url + "/openapi.json").text


def test_metrics_are_there_on_both_servers(servers: Pair) -> None:
    httpx.post(f"{servers.transformer.url}/predict", files={"file": samples()[0].data}, timeout=30)
    for process in (servers.predictor, servers.transformer):
        answer = httpx.get(process.url + "/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert 'request_predict_seconds_bucket{le="+Inf",model_name="photos"}' in answer.text
