"""`compose.yaml` runs both servers as a pod would: without privileges, and with settings that there are."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from predictor.settings import PredictorSettings
from serving.settings import ServerSettings
from tests.assets import PROJECT
from transformer.settings import TransformerSettings

SERVERS: dict[str, type[ServerSettings]] = {"predictor": PredictorSettings, "transformer": TransformerSettings}
PUBLISHED = {
    "transformer": ["127.0.0.1:${PORT:-8080}:8080"],
    "prometheus": ["127.0.0.1:${PROMETHEUS_PORT:-9090}:9090"],
    "alertmanager": ["127.0.0.1:${ALERTMANAGER_PORT:-9093}:9093"],
    "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
}


@pytest.fixture
def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    return found


@pytest.fixture
def services(composed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = composed["services"]
    return found


def test_a_container_may_do_nothing_but_its_work(services: dict[str, Any]) -> None:
    assert set(services) == {*SERVERS, "prometheus", "alertmanager", "grafana"}
    for service in services.values():
        user, _, group = service["user"].partition(":")
        assert int(user) > 0
        assert int(group) > 0
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
        assert {"privileged", "cap_add", "pid", "network_mode", "devices"} & set(service) == set()


def test_a_server_runs_as_in_a_pod(services: dict[str, Any]) -> None:
    assert {services[name]["user"] for name in SERVERS} == {"10001:10001"}


def test_an_image_of_others_is_named_by_its_exact_version(services: dict[str, Any]) -> None:
    images = [service["image"] for service in services.values() if "build" not in service]
    assert [image for image in images if not re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", image)] == []


def test_everything_says_whether_it_works(services: dict[str, Any]) -> None:
    for service in services.values():
        if "build" in service:
            assert "\nHEALTHCHECK " in (PROJECT / service["build"]["dockerfile"]).read_text()
        else:
            *command, url = service["healthcheck"]["test"]
            assert command == ["CMD", "wget", "-q", "-O", "/dev/null"]
            assert url.startswith(f"http://127.0.0.1:{service['ports'][0].rpartition(':')[2]}/")


def test_what_is_waited_for_is_there_and_healthy(services: dict[str, Any]) -> None:
    waits = {name: service["depends_on"] for name, service in services.items() if "depends_on" in service}
    assert {name: list(others) for name, others in waits.items()} == {
        "transformer": ["predictor"],
        "prometheus": ["alertmanager"],
        "grafana": ["prometheus"],
    }
    assert {other["condition"] for others in waits.values() for other in others.values()} == {"service_healthy"}


def test_variables_are_settings(services: dict[str, Any]) -> None:
    for name, settings in SERVERS.items():
        known = {field.upper() for field in settings.model_fields}
        assert set(services[name]["environment"]) <= known


def test_a_server_is_built_from_its_own_dockerfile(services: dict[str, Any]) -> None:
    for name in SERVERS:
        assert services[name]["build"] == {"context": ".", "dockerfile": f"Dockerfile.{name}"}
        assert (PROJECT / services[name]["build"]["dockerfile"]).is_file()


def test_nothing_is_reached_from_another_machine_and_every_port_can_be_chosen(services: dict[str, Any]) -> None:
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == PUBLISHED


def test_the_predictor_reaches_nobody_outside(composed: dict[str, Any]) -> None:
    assert composed["services"]["predictor"]["networks"] == ["inside"]
    assert composed["networks"]["inside"] == {"internal": True}


def test_what_fetches_for_strangers_cannot_reach_who_watches(services: dict[str, Any]) -> None:
    for name in ("alertmanager", "grafana"):
        assert set(services[name]["networks"]) & set(services["transformer"]["networks"]) == set()


def test_what_the_watchers_keep_outlives_their_containers(composed: dict[str, Any]) -> None:
    mounts = [mount.rsplit(":", 2) for service in composed["services"].values() for mount in service.get("volumes", ())]
    kept = {source for source, *_ in mounts if not source.startswith((".", "$"))}
    assert kept == set(composed["volumes"]) == {"prometheus", "alertmanager", "grafana"}


def test_what_is_mounted_is_there_and_can_only_be_read(services: dict[str, Any]) -> None:
    mounts = [mount.split(":") for service in services.values() for mount in service.get("volumes", ())]
    files = [mount for mount in mounts if mount[0].startswith("./")]
    assert [source for source, *_ in files if not (PROJECT / source).exists()] == []
    assert {mode for _, _, mode in files} == {"ro"}
    assert [target for _, target, _ in files] == [
        "/etc/prometheus",
        "/etc/alertmanager",
        "/etc/grafana/grafana.ini",
        "/etc/grafana/provisioning",
        "/etc/grafana/boards",
    ]


def test_stopping_takes_no_longer_than_docker_waits(services: dict[str, Any]) -> None:
    for name, settings in SERVERS.items():
        grace = settings.model_fields["grace_period_seconds"].default
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > grace


def test_the_makefile_starts_it() -> None:
    text = subprocess.run(["make", "-n", "compose-up"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "compose up" in text
