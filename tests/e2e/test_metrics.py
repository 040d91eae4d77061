"""What both servers count of photos, fetches, calls between them and predictions, while real photos go through."""

import base64
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.assets import needs_assets
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import samples
from tests.e2e.processes import Pair, pair, running
from tests.serving.scrape import Scrape

pytestmark = needs_assets

CALLS = "classifier_predictor_calls_total"
CAT = samples()[0]


@pytest.fixture
def fresh(squeezenet: Path, photo_server: PhotoServer, tmp_path: Path) -> Iterator[Pair]:
    """Both servers, with nothing counted yet; Knative would have named their revisions."""
    made = pair(squeezenet, tmp_path, FETCH_ALLOWED_HOSTS=photo_server.host)
    made.predictor.settings = {**made.predictor.settings, "K_REVISION": "cats-predictor-00003"}
    made.transformer.settings = {**made.transformer.settings, "K_REVISION": "cats-transformer-00001"}
    with running(made) as started:
        yield started


def upload(servers: Pair, content: bytes) -> httpx.Response:
    return httpx.post(f"{servers.transformer.url}/predict", files={"file": content}, timeout=30)


def v1(servers: Pair, *instances: Mapping[str, Any]) -> httpx.Response:
    url = f"{servers.transformer.url}/v1/models/{servers.model}:predict"
    return httpx.post(url, json={"instances": list(instances)}, timeout=30)


def test_photos_are_counted_by_where_they_came_from(fresh: Pair, photo_server: PhotoServer) -> None:
    upload(fresh, CAT.data)
    encoded = {"image": {"b64": base64.b64encode(CAT.data).decode()}}
    v1(fresh, encoded, encoded, {"url": photo_server.url(CAT)})
    scrape = Scrape.of(fresh.transformer.url)
    found = {source: scrape.sum("classifier_images_total", source=source) for source in ("upload", "base64", "url")}
    assert found == {"upload": 1, "base64": 2, "url": 1}
    assert scrape.sum("classifier_fetches_total", outcome="success") == 1
    assert scrape.sum("classifier_image_size_bytes_sum") == 4 * len(CAT.data)
    assert scrape.sum("classifier_image_size_pixels_sum") == 4 * CAT.rgb.width * CAT.rgb.height
    assert scrape.sum("classifier_images_rejected_total") == 0


def test_photos_that_are_refused_are_counted_by_the_reason(fresh: Pair, photo_server: PhotoServer) -> None:
    upload(fresh, b"no picture")
    upload(fresh, CAT.data[:1000])
    v1(fresh, {"url": "http://127.0.0.1:1/cat.jpg"})
    scrape = Scrape.of(fresh.transformer.url)
    reasons = {each.labels["reason"]: each.value for each in scrape.matching("classifier_images_rejected_total")}
    assert {reason: count for reason, count in reasons.items() if count} == {"unsupported_media": 1, "bad_input": 2}
    assert {"refused", "too_large", "fetch_failed"} <= reasons.keys(), "0 is not absent"
    assert scrape.sum("classifier_fetches_total", outcome="bad_input") == 1
    assert scrape.sum("classifier_images_total") == 0


def test_a_fetch_that_outlasts_its_request_is_counted(apart: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        hurry = {"FETCH_ALLOWED_HOSTS": host, "REQUEST_TIMEOUT_SECONDS": "0.5"}
        apart.transformer.settings = {**apart.transformer.settings, **hurry}
        apart.start()
        assert v1(apart, {"url": f"http://{host}/cat.jpg"}).status_code == 504
    assert Scrape.of(apart.transformer.url).sum("classifier_fetches_total", outcome="cancelled") == 1


def test_predictions_are_counted_by_revision_and_version_and_batches_by_size(fresh: Pair) -> None:
    upload(fresh, CAT.data)
    encoded = {"image": {"b64": base64.b64encode(CAT.data).decode()}}
    answer = v1(fresh, encoded, encoded, encoded)
    assert answer.status_code == 200
    scrape = Scrape.of(fresh.predictor.url)
    (info,) = scrape.matching("classifier_model_info", engine="openvino", architecture="squeezenet1_1", trained="true")
    model = {"revision": "cats-predictor-00003", "model_version": info.labels["model_version"]}
    assert info.labels["revision"] == model["revision"]
    assert scrape.sum("classifier_predictions_total", **model) == 4
    assert scrape.sum("classifier_top1_confidence_ratio_count", **model) == 4
    assert scrape.sum("classifier_class_predictions_total", class_id="285", **model) == 4
    assert scrape.sum("classifier_batch_size_images_sum") == 4
    assert scrape.sum("classifier_batch_size_images_bucket", le="1.0") >= 1
    assert scrape.sum("classifier_batch_wait_seconds_count") == scrape.sum("classifier_batch_size_images_count")
    assert scrape.sum("classifier_queue_limit_images") == 256
    assert scrape.sum("classifier_stage_duration_seconds_count", stage="inference") == 2


def test_the_transformer_knows_which_predictor_answered(fresh: Pair) -> None:
    upload(fresh, CAT.data)
    scrape = Scrape.of(fresh.transformer.url)
    (info,) = scrape.matching("classifier_model_info")
    answered = {"revision": "cats-predictor-00003", "model_version": info.labels["model_version"]}
    assert info.labels["revision"] == "cats-predictor-00003"
    assert scrape.sum(CALLS, outcome="success", **answered) >= 2, "it was met, then asked"
    assert scrape.sum("classifier_predictor_call_duration_seconds_count", **answered) == 1
    assert (
        scrape.sum(
            "classifier_requests_total",
            route="/predict",
            code="ok",
            revision="cats-transformer-00001",
            model_version=answered["model_version"],
        )
        == 1
    )
    for stage in ("read", "meet", "queue", "decode", "preprocess", "predictor_rpc", "postprocess"):
        assert scrape.sum("classifier_stage_duration_seconds_count", stage=stage) == 1, stage


def test_a_call_that_nobody_answered_counts_for_no_revision(apart: Pair) -> None:
    apart.start()
    upload(apart, CAT.data)
    apart.predictor.kill()
    before = Scrape.of(apart.transformer.url)
    assert upload(apart, CAT.data).status_code == 503
    after = Scrape.of(apart.transformer.url)
    away = {"outcome": "predictor_unavailable", "revision": "", "model_version": ""}
    assert after.sum(CALLS, **away) == before.sum(CALLS, **away) + 1
    assert after.sum("classifier_requests_total", code="predictor_unavailable", route="/predict") == 1


def test_a_refusal_of_the_predictor_counts_for_its_revision(apart: Pair) -> None:
    apart.predictor.settings = {**apart.predictor.settings, "K_REVISION": "dogs-predictor-00004", "MODEL_NAME": "dogs"}
    apart.predictor.start().until()
    apart.transformer.start().until("/health")
    assert upload(apart, CAT.data).status_code == 502
    refused = {"outcome": "model_not_found", "revision": "dogs-predictor-00004"}
    assert Scrape.of(apart.transformer.url).sum(CALLS, **refused) >= 1
