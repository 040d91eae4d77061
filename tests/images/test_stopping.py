"""`podman stop`, as Kubernetes does it: what is being answered is answered, and nobody waits for SIGKILL."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.assets import PHOTOS, needs_assets
from tests.images.container import Container, mounted, predictor, transformer
from tests.images.store import Store

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]

GRACE_SECONDS = 20
TENSOR = bytes(224 * 224 * 3)
TENSOR_HEAD = (
    b'{"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 224, 224, 3], '
    b'"parameters": {"binary_data_size": 150528}}]}'
)


class HalfSent:
    """A request of which the server has the head and half of the body."""

    def __init__(self, server: Container, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.http_port, timeout=30)
        self._connection.putrequest("POST", path)
        for name, value in (headers | {"Content-Length": str(len(body)), "X-Request-Id": "half-sent"}).items():
            self._connection.putheader(name, value)
        middle = len(body) // 2
        self._connection.endheaders(body[:middle])
        self._rest = body[middle:]
        server.until_logged("accepted half-sent")

    def status(self) -> int:
        """Of the answer to all of it."""
        self._connection.send(self._rest)
        return self._connection.getresponse().status

    def close(self) -> None:
        self._connection.close()


def test_a_predictor_that_is_stopped_answers_what_it_has_begun(images: Store, squeezenet: Path) -> None:
    with predictor(images, "predictor", mounted(squeezenet)) as server:
        headers = {"Inference-Header-Content-Length": str(len(TENSOR_HEAD))}
        with closing(
            HalfSent(server.until_ready(), "/v2/models/photos/infer", TENSOR_HEAD + TENSOR, headers)
        ) as request:
            assert_answered_while_stopping(server, request)


def test_a_transformer_that_is_stopped_answers_what_it_has_begun(images: Store, serving_predictor: Container) -> None:
    with transformer(images, serving_predictor.grpc) as server:
        photo = (PHOTOS / "coffee.png").read_bytes()
        with closing(HalfSent(server.until_ready(), "/predict", photo, {"Content-Type": "image/png"})) as request:
            assert_answered_while_stopping(server, request)


@pytest.mark.parametrize("delay_seconds", [0, 0.3, 0.6])
@pytest.mark.parametrize("image", ["predictor", "transformer"])
def test_a_server_that_is_stopped_while_it_starts_ends_at_once(
    images: Store, squeezenet: Path, image: str, delay_seconds: float
) -> None:
    starting = (
        predictor(images, image, mounted(squeezenet)) if image == "predictor" else transformer(images, "127.0.0.1:1")
    )
    with starting as server:
        time.sleep(delay_seconds)
        asked = time.monotonic()
        assert server.stop(GRACE_SECONDS) == 0
        assert time.monotonic() - asked < 3


def assert_answered_while_stopping(server: Container, request: HalfSent) -> None:
    with ThreadPoolExecutor(1) as threads:
        code = threads.submit(server.stop, GRACE_SECONDS)
        server.until_logged("stopping on SIGTERM")
        assert request.status() == 200
        assert code.result() == 0
