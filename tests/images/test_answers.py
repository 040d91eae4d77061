"""Photos through both containers get the answers that they must."""

import shutil
from pathlib import Path

import httpx
import pytest

from tests.assets import PHOTOS, PROJECT, TOP_FIVE, needs_assets
from tests.images.container import Container, predictor, transformer
from tests.images.store import Store

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("photo", TOP_FIVE)
def test_a_photo_gets_its_stated_top_five(serving_transformer: Container, photo: str) -> None:
    assert_top_five(serving_transformer, photo)


def test_a_bundle_that_is_baked_in_is_served_without_a_mount(
    images: Store, squeezenet: Path, options: list[str], tmp_path: Path
) -> None:
    context = copy_of_context(tmp_path)
    baked = Path(shutil.copytree(squeezenet, context / "bundles/squeezenet1_1"))
    (baked / "model.json").chmod(0o600)  # as a careful maker leaves it
    bundle = "--build-arg=BUNDLE=bundles/squeezenet1_1"
    images.build("predictor-baked", context / "Dockerfile.predictor", context, bundle, *options)
    with predictor(images, "predictor-baked") as behind, transformer(images, behind.grpc) as before:
        behind.until_ready()
        assert_top_five(before.until_ready(), "coffee.png")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("BUNDLE=oip", "BUNDLE: expected a bundle, got 'oip'"),
        ("DEVICE=gpu", "DEVICE: expected cpu or cuda, got 'gpu'"),
    ],
)
def test_a_build_is_refused_with(images: Store, options: list[str], argument: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        images.build("wrong", PROJECT / "Dockerfile.predictor", PROJECT, f"--build-arg={argument}", *options)


def assert_top_five(server: Container, photo: str) -> None:
    answer = httpx.post(f"{server.url}/predict", content=(PHOTOS / photo).read_bytes(), params={"top_k": 5}, timeout=30)
    assert answer.status_code == 200, answer.text
    found = {each["class_id"]: each["confidence"] for each in answer.json()["predictions"]}
    assert list(found) == list(TOP_FIVE[photo])
    assert found == pytest.approx(TOP_FIVE[photo], abs=0.002)


def copy_of_context(directory: Path) -> Path:
    """What .dockerignore lets through, but for bundles."""
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        source = PROJECT / line.removeprefix("!")
        if line.startswith("!") and line != "!bundles":
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, directory / source.name)
    for name in (".dockerignore", "Dockerfile.predictor"):
        shutil.copy2(PROJECT / name, directory)
    return directory
