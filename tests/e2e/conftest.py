"""One pair of servers on real weights for all tests that only ask; tests that stop servers start their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets import WEIGHTS
from tests.e2e.doors import Doors
from tests.e2e.photo_server import PhotoServer
from tests.e2e.photos import Reference, samples
from tests.e2e.processes import Pair, pair, running


@pytest.fixture(scope="session")
def photo_server() -> Iterator[PhotoServer]:
    with PhotoServer(samples()).running() as server:
        yield server


@pytest.fixture(scope="session")
def servers(squeezenet: Path, photo_server: PhotoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both servers, ready, on the squeezenet bundle, compressing answers over gRPC as over REST.

    Photos may be fetched from the loopback photo server alone.
    """
    settings = {"FETCH_ALLOWED_HOSTS": photo_server.host, "GRPC_COMPRESSION": "true"}
    with running(pair(squeezenet, tmp_path_factory.mktemp("logs"), **settings)) as started:
        yield started


@pytest.fixture
def apart(squeezenet: Path, tmp_path: Path) -> Iterator[Pair]:
    """A pair of a test's own, of which neither is started."""
    made = pair(squeezenet, tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference("squeezenet1_1", WEIGHTS, resize=256, crop=224)


@pytest.fixture(scope="session")
def doors(servers: Pair, reference: Reference, photo_server: PhotoServer) -> Doors:
    return Doors(servers, reference, photo_server.url)
