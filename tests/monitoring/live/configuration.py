"""The project's own configuration and rules, with addresses of this machine and times that a test can wait for."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tests.assets import PROJECT

MONITORING = PROJECT / "monitoring"
RULES = MONITORING / "prometheus" / "rules.yaml"

INTERVALS = {"scrape_interval": "1s", "evaluation_interval": "1s"}

_LASTING = re.compile(r"^( +for:) .+$", re.MULTILINE)
_WINDOW = re.compile(r"\[(5|10)m\]")


def scraping(targets: Mapping[str, Sequence[str]], rules: str, alertmanager: str = "") -> str:
    """The scrape configuration; `targets` tells by which addresses each of its own is replaced."""
    configuration = _loaded("prometheus/prometheus.yaml")
    configuration["global"] |= INTERVALS
    configuration["rule_files"] = [rules]
    for each in _static(configuration):
        each["targets"] = [local for target in each["targets"] for local in targets[target]]
    for each in configuration["alerting"]["alertmanagers"]:
        each["static_configs"] = [{"targets": [alertmanager] if alertmanager else []}]
    return yaml.safe_dump(configuration)


def quick_rules() -> str:
    """The rules with their thresholds, but of seconds where they are of minutes."""
    return _WINDOW.sub("[5s]", _LASTING.sub(r"\1 2s", RULES.read_text()))


def routing(webhook: str) -> str:
    """Alertmanager's configuration, which calls the webhook under each receiver's name, without waiting."""
    configuration = _loaded("alertmanager/alertmanager.yaml")
    for route in (configuration["route"], *configuration["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in configuration["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}"}]
    return yaml.safe_dump(configuration)


def _static(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for job in configuration["scrape_configs"] for each in job["static_configs"]]


def _loaded(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((MONITORING / name).read_text())
    return content
