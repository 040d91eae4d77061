"""What tests of several scripts need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.lint_manifests import LINTERS
from tests.scripts.deployment.api_server import ApiServer, api_server
from tests.scripts.deployment.clusters import healthy


@pytest.fixture(scope="session")
def lint_environment() -> Path:
    """The environment of the linters of manifests."""
    if not (LINTERS / "bin" / "checkov").is_file():
        pytest.skip("the linters are not installed: make lint-manifests")
    return LINTERS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    """An API server with all that every overlay needs."""
    with api_server(tmp_path, healthy()) as running:
        yield running
