"""`compose.yaml` runs both servers as a pod would: without privileges, and with settings that there are."""

import subprocess
from typing import Any

import pytest
import yaml

from predictor.settings import PredictorSettings
from serving.settings import ServerSettings
from tests.assets import PROJECT
from transformer.settings import TransformerSettings

SERVERS: dict[str, type[ServerSettings]] = {"predictor": PredictorSettings, "transformer": TransformerSettings}


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    return found


def test_a_server_may_do_nothing_but_serve(services: dict[str, Any]) -> None:
    for name in SERVERS:
        service = services[name]
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]


def test_variables_are_settings(services: dict[str, Any]) -> None:
    for name, settings in SERVERS.items():
        known = {field.upper() for field in settings.model_fields}
        assert set(services[name]["environment"]) <= known


def test_a_server_is_built_from_its_own_dockerfile(services: dict[str, Any]) -> None:
    for name in SERVERS:
        assert services[name]["build"] == {"context": ".", "dockerfile": f"Dockerfile.{name}"}
        assert (PROJECT / services[name]["build"]["dockerfile"]).is_file()


def test_only_the_transformer_is_reached_from_outside_and_reaches_out(services: dict[str, Any]) -> None:
    assert "ports" not in services["predictor"]
    assert services["predictor"]["networks"] == ["inside"]
    (port,) = services["transformer"]["ports"]
    assert port.startswith("127.0.0.1:")


def test_stopping_takes_no_longer_than_docker_waits(services: dict[str, Any]) -> None:
    for name, settings in SERVERS.items():
        grace = settings.model_fields["grace_period_seconds"].default
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > grace


def test_the_makefile_starts_it() -> None:
    text = subprocess.run(["make", "-n", "compose-up"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "compose up" in text
