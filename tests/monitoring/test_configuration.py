"""Prometheus and Alertmanager take their configurations, and an alert reaches whom it should."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from scripts.port import free
from tests.assets import PROJECT
from tests.scripts.processes import wait_until

MONITORING = PROJECT / "monitoring"
PROMETHEUS = MONITORING / "prometheus" / "prometheus.yaml"
ALERTMANAGER = MONITORING / "alertmanager" / "alertmanager.yaml"

CATS = {"namespace": "photos", "inference_service": "cats", "component": "transformer"}

Labels = dict[str, str]


def run(*command: str | Path) -> str:
    """What it prints; fails the test when it fails."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def routing() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ALERTMANAGER.read_text())
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "prometheus" / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def receiver(labels: Labels) -> str:
    """To whom real routing leads."""
    given = [f"{name}={value}" for name, value in labels.items()]
    return run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *given).strip()


def test_prometheus_takes_its_configuration_and_the_rules() -> None:
    assert "rule files found" in run("promtool", "check", "config", PROMETHEUS)


def test_alertmanager_takes_its_configuration() -> None:
    assert "SUCCESS" in run("amtool", "check-config", ALERTMANAGER)


def test_alertmanager_takes_it_with_a_webhook_for_each_receiver(tmp_path: Path) -> None:
    """As its comment says to write one."""
    example = "\n".join(re.findall(r"^#  ( .*)$", ALERTMANAGER.read_text(), re.MULTILINE))
    configuration = routing()
    configuration["receivers"] = [each | yaml.safe_load(example) for each in configuration["receivers"]]
    path = tmp_path / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(configuration))
    run("amtool", "check-config", path)
    assert all(each["webhook_configs"][0]["url"] for each in configuration["receivers"])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"alertname": "ServiceDown", "severity": "critical"}, "page"),
        ({"alertname": "HighCPU", "severity": "warning"}, "ticket"),
        ({"alertname": "CPUThrottled", "severity": "info"}, "nobody"),
        ({"alertname": "Watchdog", "severity": "info"}, "heartbeat"),
        ({"alertname": "Watchdog", "severity": "critical"}, "heartbeat"),
        ({"alertname": "SomethingNew"}, "ticket"),
    ],
)
def test_an_alert_goes_where_its_severity_says(labels: Labels, expected: str) -> None:
    assert receiver(CATS | labels) == expected


def test_every_alert_that_there_is_has_somewhere_to_go() -> None:
    wanted = {"critical": "page", "warning": "ticket", "info": "nobody"}
    severities = {rule["labels"]["severity"] for rule in alerts() if rule["alert"] != "Watchdog"}
    assert {severity: receiver({"severity": severity}) for severity in severities} == {
        severity: wanted[severity] for severity in severities
    }


def test_the_heartbeat_beats_oftener_than_anything_else_is_repeated() -> None:
    heartbeat = next(route for route in routing()["route"]["routes"] if route["receiver"] == "heartbeat")
    assert (heartbeat["group_wait"], heartbeat["group_interval"], heartbeat["repeat_interval"]) == ("0s", "1m", "5m")


def test_alerts_of_one_service_and_revision_come_together() -> None:
    assert routing()["route"]["group_by"] == ["alertname", "namespace", "inference_service", "revision"]


def test_every_alert_that_the_routing_names_is_there() -> None:
    named = set(re.findall(r'alertname=~?"([^"]+)"', ALERTMANAGER.read_text()))
    assert {name for names in named for name in names.split("|")} <= {rule["alert"] for rule in alerts()}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real one with our routing."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        pytest.skip("prometheus-alertmanager is not installed")
    address = f"127.0.0.1:{free(1)[0]}"
    storage = tmp_path_factory.mktemp("alertmanager")
    command = [binary, f"--config.file={ALERTMANAGER}", f"--storage.path={storage}", f"--web.listen-address={address}"]
    with (
        (storage / "log").open("wb") as log,
        subprocess.Popen([*command, "--cluster.listen-address="], stderr=log) as it,
    ):
        try:
            yield f"http://{address}"
        finally:
            it.terminate()


def inhibited(alertmanager: str, *given: Labels) -> set[str]:
    """Names of the alerts that nobody is told of, since another one says more; of `given`, one at least."""
    wait_until(lambda: ready(alertmanager))
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[{"labels": labels} for labels in given]).raise_for_status()
    wait_until(lambda: bool(muted(alertmanager, given[0]["case"])))
    return muted(alertmanager, given[0]["case"])


def muted(alertmanager: str, case: str) -> set[str]:
    found = httpx.get(f"{alertmanager}/api/v2/alerts", params={"filter": f'case="{case}"'}).json()
    return {each["labels"]["alertname"] for each in found if each["status"]["inhibitedBy"]}


def ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def alert(case: str, name: str, severity: str, **labels: str) -> Labels:
    return CATS | {"case": case, "alertname": name, "severity": severity} | labels


def test_what_follows_from_a_service_that_is_down_is_not_told(alertmanager: str) -> None:
    consequences = [
        alert("down", "HighErrorRate", "critical"),
        alert("down", "HighLatencyP95", "warning"),
        alert("down", "AvailabilityBudgetBurn", "critical", window="1h"),
        alert("down", "LatencyBudgetBurn", "warning", window="3d"),
        alert("down", "PredictorUnreachable", "critical"),
        alert("down", "ScrapeMissing", "warning", component="predictor"),
    ]
    others = [alert("down", "HighMemory", "warning"), alert("down", "Watchdog", "info")]
    down = alert("down", "ServiceDown", "critical", component="predictor")
    told = {each["alertname"] for each in consequences}
    assert inhibited(alertmanager, down, *consequences, *others) == told


def test_another_service_is_heard_all_the_same(alertmanager: str) -> None:
    down = alert("others", "ServiceDown", "critical", inference_service="mice")
    consequence = alert("others", "HighLatencyP95", "warning", inference_service="mice")
    other = alert("others", "HighErrorRate", "critical", inference_service="dogs")
    namesake = alert("others", "HighErrorRate", "critical", inference_service="mice", namespace="elsewhere")
    assert inhibited(alertmanager, down, consequence, other, namesake) == {"HighLatencyP95"}


def test_whoever_was_paged_gets_no_ticket_of_the_same(alertmanager: str) -> None:
    page = alert("both", "AvailabilityBudgetBurn", "critical", window="1h", inference_service="birds")
    ticket = alert("both", "AvailabilityBudgetBurn", "warning", window="3d", inference_service="birds")
    other = alert("both", "LatencyBudgetBurn", "warning", window="3d", inference_service="birds")
    assert inhibited(alertmanager, page, ticket, other) == {"AvailabilityBudgetBurn"}
