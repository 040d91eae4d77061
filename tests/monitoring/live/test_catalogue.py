"""What both servers say of themselves once every path was taken."""

import re
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.metrics_table import name
from serving.errors import leaves
from tests.assets import needs_assets
from tests.monitoring.catalogue import collectors
from tests.monitoring.live.daemon import found
from tests.monitoring.live.driving import UNHAPPENED
from tests.monitoring.live.prometheus import Prometheus
from tests.monitoring.live.stack import Stack

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]


def exposed(service: Stack) -> dict[str, str]:
    return {
        name: httpx.get(f"{process.url}/metrics", timeout=30).text
        for name, process in (("transformer", service.transformer), ("predictor", service.stable))
    }


def test_promtool_finds_nothing_to_better(service: Stack, watched: Prometheus) -> None:
    for server, text in exposed(service).items():
        checked = subprocess.run([found("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), server


def test_the_catalogue_is_what_the_servers_expose(service: Stack, watched: Prometheus) -> None:
    families = {
        family.name
        for text in exposed(service).values()
        for family in text_string_to_metric_families(text)
        if re.match("classifier_|request_", family.name)
    }
    assert families == {name(metric).removesuffix("_total") for metric in collectors()}


def test_every_code_of_an_error_was_met(watched: Prometheus) -> None:
    """Also those of a predictor that has been replaced."""
    met = watched.query("sum by (component, code) (max_over_time(classifier_requests_total[1h])) > 0")
    codes = {"ok", "client_gone"} | {leaf.code for leaf in leaves()}
    assert {(sample.labels["component"], sample.labels["code"]) for sample in met} == {
        (component, code) for component, unhappened in UNHAPPENED.items() for code in codes - unhappened.keys()
    }


def test_every_door_that_infers_has_answered(watched: Prometheus) -> None:
    assert watched.query('sum by (component, route) (classifier_requests_total{outcome="success"}) == 0') == []


def test_every_stage_that_a_board_lists_has_been_passed(watched: Prometheus) -> None:
    assert watched.query("sum by (component, stage) (classifier_stage_duration_seconds_count) == 0") == []
