"""In `compose.yaml` Prometheus, Alertmanager and Grafana find each other, the servers and their configurations."""

from configparser import ConfigParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from monitoring.objectives import PERIOD
from serving.settings import ServerSettings
from tests.assets import PROJECT

MONITORING = PROJECT / "monitoring"
SERVICES: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
PROMETHEUS: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus" / "prometheus.yaml").read_text())
PASSWORD = "correct horse battery staple"  # noqa: S105  # of no one


def flags(service: str) -> dict[str, str]:
    return dict(flag.removeprefix("--").split("=", 1) for flag in SERVICES[service]["command"])


def of_host(service: str, path: str) -> Path:
    """The file or directory of the checkout that a container sees there."""
    for mount in SERVICES[service]["volumes"]:
        source, target, *_ = mount.split(":")
        if source.startswith("./") and PurePosixPath(path).is_relative_to(target):
            return Path(PROJECT, source, PurePosixPath(path).relative_to(target))
    raise AssertionError(f"{service}: nothing is mounted at {path}")


def assert_reached(service: str, address: str, port: int) -> None:
    host, _, given = address.partition(":")
    assert set(SERVICES[service]["networks"]) & set(SERVICES[host]["networks"])
    assert int(given) == port


def grafana(password: str) -> ConfigParser:
    """Its settings, as it has them: a variable that is not empty goes before its file."""
    settings = ConfigParser(interpolation=None)
    settings.read(of_host("grafana", "/etc/grafana/grafana.ini"))
    for name, text in SERVICES["grafana"]["environment"].items():
        value = text.replace("${GRAFANA_PASSWORD:+false}", "false" if password else "")
        value = value.replace("${GRAFANA_PASSWORD:-}", password)
        _, section, key = name.lower().split("_", 2)
        if not settings.has_section(section):
            settings.add_section(section)
        if value:
            settings.set(section, key, value)
    return settings


@pytest.mark.parametrize("service", ["prometheus", "alertmanager"])
def test_the_configuration_is_where_it_is_looked_for(service: str) -> None:
    assert of_host(service, flags(service)["config.file"]).is_file()


def test_data_goes_where_the_volume_is() -> None:
    assert f"prometheus:{flags('prometheus')['storage.tsdb.path']}" in SERVICES["prometheus"]["volumes"]
    assert f"alertmanager:{flags('alertmanager')['storage.path']}" in SERVICES["alertmanager"]["volumes"]
    assert "grafana:/var/lib/grafana" in SERVICES["grafana"]["volumes"]


def test_prometheus_reaches_both_servers_where_they_serve_metrics() -> None:
    (scrape,) = PROMETHEUS["scrape_configs"]
    targets = [
        (each["labels"]["component"], address) for each in scrape["static_configs"] for address in each["targets"]
    ]
    assert [component for component, _ in targets] == ["transformer", "predictor"]
    for component, address in targets:
        assert address.startswith(f"{component}:")
        assert_reached("prometheus", address, ServerSettings.model_fields["http_port"].default)


def test_prometheus_reaches_alertmanager() -> None:
    (alertmanager,) = PROMETHEUS["alerting"]["alertmanagers"]
    for address in alertmanager["static_configs"][0]["targets"]:
        assert_reached("prometheus", address, 9093)


def test_prometheus_remembers_for_longer_than_an_objective_looks_back() -> None:
    days = int(flags("prometheus")["storage.tsdb.retention.time"].removesuffix("d"))
    assert days > int(PERIOD.removesuffix("d"))


def test_prometheus_keeps_exemplars() -> None:
    assert flags("prometheus")["enable-feature"] == "exemplar-storage"


def test_links_in_alerts_lead_to_the_ports_that_are_published() -> None:
    for service in ("prometheus", "alertmanager"):
        (published,) = SERVICES[service]["ports"]
        port, _, _ = published.removeprefix("127.0.0.1:").rpartition(":")
        assert flags(service)["web.external-url"] == f"http://localhost:{port}/"


def test_grafana_reads_from_prometheus() -> None:
    (provisioned,) = of_host("grafana", "/etc/grafana/provisioning/datasources").glob("*.yaml")
    (source,) = yaml.safe_load(provisioned.read_text())["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "prometheus")
    assert_reached("grafana", urlsplit(source["url"]).netloc, 9090)


def test_grafana_shows_the_boards_and_the_overview_first() -> None:
    (provisioned,) = of_host("grafana", "/etc/grafana/provisioning/dashboards").glob("*.yaml")
    (provider,) = yaml.safe_load(provisioned.read_text())["providers"]
    assert list(of_host("grafana", provider["options"]["path"]).glob("*.json"))
    assert of_host("grafana", grafana("")["dashboards"]["default_home_dashboard_path"]).is_file()


def test_everyone_may_look_and_nobody_may_change_anything() -> None:
    settings = grafana("")
    assert dict(settings["auth.anonymous"]) == {"enabled": "true", "org_role": "Viewer"}
    assert settings["auth"]["disable_login_form"] == "true"
    assert settings["security"]["disable_initial_admin_creation"] == "true"
    assert "admin_password" not in settings["security"]


def test_with_a_password_there_is_someone_who_may() -> None:
    settings = grafana(PASSWORD)
    assert settings["auth"]["disable_login_form"] == "false"
    assert settings["security"]["disable_initial_admin_creation"] == "false"
    assert settings["security"]["admin_password"] == PASSWORD


def test_grafana_asks_nothing_of_the_internet() -> None:
    settings = grafana("")
    assert set(settings["analytics"].values()) == {"false"}
    assert settings["news"]["news_feed_enabled"] == settings["snapshots"]["external_enabled"] == "false"
    assert settings["plugins"]["preinstall_disabled"] == settings["security"]["disable_gravatar"] == "true"
