"""Both images, built once a run from the Dockerfiles as they stand, and a pair of containers that only answers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets import PROJECT
from tests.images.base import write_context
from tests.images.container import Container, mounted, predictor, transformer
from tests.images.downloads import mounts
from tests.images.store import BASE, TOOLS, Store

LABELS = {"VERSION": "1.2.3", "REVISION": "0123abc", "CREATED": "2026-11-26T20:00:00+00:00"}
"""What a build is told of itself."""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """With the base's stand-in."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("root alone may make the base's stand-in")
    made = Store(Path(tempfile.mkdtemp(prefix="images-")))
    try:
        context = tmp_path_factory.mktemp("base")
        write_context(context)
        made.build(BASE, context / "Dockerfile", context)
        yield made
    finally:
        made.clear()
        shutil.rmtree(made.home)


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of every build."""
    return [
        *mounts(tmp_path_factory.mktemp("downloads")),
        *(f"--build-arg={name}={value}" for name, value in LABELS.items()),
    ]


@pytest.fixture(scope="session")
def images(store: Store, options: list[str]) -> Store:
    """`predictor` and `transformer`, of this tree."""
    for image in ("predictor", "transformer"):
        store.build(image, PROJECT / f"Dockerfile.{image}", PROJECT, *options)
    return store


@pytest.fixture(scope="session")
def serving_predictor(images: Store, squeezenet: Path) -> Iterator[Container]:
    with predictor(images, "predictor", mounted(squeezenet)) as started:
        yield started.until_ready()


@pytest.fixture(scope="session")
def serving_transformer(images: Store, serving_predictor: Container) -> Iterator[Container]:
    with transformer(images, serving_predictor.grpc) as started:
        yield started.until_ready()


@pytest.fixture(params=["predictor", "transformer"])
def server(request: pytest.FixtureRequest) -> Container:
    """Each of the two that serve."""
    container: Container = request.getfixturevalue(f"serving_{request.param}")
    return container
