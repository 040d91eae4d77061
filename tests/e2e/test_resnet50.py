"""ResNet50 at its full size goes through the same doors; its weights are untrained, so only agreement is asked."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.assets import needs_assets
from tests.bundles import make_bundle
from tests.e2e.doors import Doors
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair, pair
from tests.e2e.test_doors import BATCH, SINGLE, check

pytestmark = [needs_assets, pytest.mark.slow]


@pytest.fixture(scope="module")
def resnet50(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "resnet50"
    return make_bundle(out, "--arch", "resnet50", "--weights", "untrained")


@pytest.fixture(scope="module")
def full_size(resnet50: Path, photo_server: PhotoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    logs = tmp_path_factory.mktemp("logs")
    made = pair(resnet50, logs, ALLOW_UNTRAINED="true", FETCH_ALLOWED_HOSTS=photo_server.host).start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def reference(resnet50: Path) -> Reference:
    return Reference("resnet50", resnet50 / "model.safetensors", resize=232, crop=224)


@pytest.fixture(scope="module")
def expected(reference: Reference) -> NDArray[np.float32]:
    return reference.probabilities()


@pytest.fixture(scope="module")
def doors(full_size: Pair, reference: Reference, photo_server: PhotoServer) -> Doors:
    return Doors(full_size, reference, photo_server.url)


@pytest.mark.parametrize("door", SINGLE)
def test_one_photo_at_a_time(doors: Doors, door: str, expected: NDArray[np.float32]) -> None:
    for sample, row in zip(samples(), expected, strict=True):
        check(doors.single(5)[door](sample), row)


@pytest.mark.parametrize("door", BATCH)
def test_a_batch_of_eight(doors: Doors, door: str, expected: NDArray[np.float32]) -> None:
    for best, row in zip(doors.batch(5)[door](samples()), expected, strict=True):
        check(best, row)


def test_every_answer_says_that_the_weights_are_untrained(full_size: Pair) -> None:
    url = full_size.transformer.url
    answer = httpx.post(f"{url}/predict", files={"file": samples()[0].data}, timeout=30)
    assert answer.json()["model_version"] == "untrained"
    assert httpx.get(f"{url}/model/info").json()["trained"] is False
    assert "UNTRAINED" in full_size.predictor.log.read_text()
