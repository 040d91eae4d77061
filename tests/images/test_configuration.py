"""What an orchestrator reads of the images before it runs them."""

import pytest

from tests.assets import needs_assets
from tests.images.conftest import LABELS
from tests.images.container import Container
from tests.images.store import BASE, Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

IMAGES = pytest.mark.parametrize("image", ["predictor", "transformer"])


@IMAGES
def test_it_runs_its_server_as_nobody_on_two_ports(images: Store, image: str) -> None:
    config = images.config(image)
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", image]
    assert not config.get("Cmd")
    assert set(config["ExposedPorts"]) == {"8080/tcp", "8081/tcp"}


@IMAGES
def test_it_says_what_it_is(images: Store, image: str) -> None:
    prefix = "org.opencontainers.image."
    labels = images.config(image)["Labels"]
    said = {name.removeprefix(prefix): text for name, text in labels.items() if name.startswith(prefix)}
    assert said.pop("title") == f"Image classifier: {image}"
    assert said.pop("description")
    assert said == {
        "licenses": "Apache-2.0",
        "base.name": BASE,
        **{name.lower(): value for name, value in LABELS.items()},
    }


@needs_assets
def test_its_health_check_passes_when_it_is_ready(images: Store, server: Container) -> None:
    kind, *command = images.config(server.image)["Healthcheck"]["Test"]
    assert kind == "CMD"
    assert server.exit_code_of(*command) == 0


@needs_assets
def test_its_health_check_fails_when_nothing_answers(images: Store, server: Container) -> None:
    _, *command = images.config(server.image)["Healthcheck"]["Test"]
    assert server.exit_code_of(*command, HTTP_PORT="1") == 1
