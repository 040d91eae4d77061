"""What both servers say of themselves once every path was taken."""

import re
import subprocess

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.errors import leaves
from tests.assets import needs_assets
from tests.monitoring.live.daemon import found
from tests.monitoring.live.driving import OF_TRANSFORMER, UNHAPPENED
from tests.monitoring.live.parts import names
from tests.monitoring.live.prometheus import Prometheus
from tests.monitoring.live.questions import everything
from tests.monitoring.live.stack import Stack

pytestmark = [needs_assets, pytest.mark.slow, pytest.mark.timeout(600)]

DEBUG = {"request_explain_seconds": "kserve's, of an explainer, which neither server is"}
"""Metrics that are on no board and in no rule, and why."""


def exposed(service: Stack) -> dict[str, str]:
    return {
        name: httpx.get(f"{process.url}/metrics", timeout=30).text
        for name, process in (("transformer", service.transformer), ("predictor", service.stable))
    }


def test_promtool_finds_nothing_to_better(service: Stack, watched: Prometheus) -> None:
    for server, text in exposed(service).items():
        checked = subprocess.run([found("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), server


def test_every_metric_is_on_a_board_or_in_a_rule_or_for_debugging(service: Stack, watched: Prometheus) -> None:
    families = {
        family.name
        for text in exposed(service).values()
        for family in text_string_to_metric_families(text)
        if re.match("classifier_|request_", family.name)
    }
    read = {re.sub("_(bucket|sum|count|total)$", "", name) for each in everything() for name in names(each.expr)}
    assert families - read == DEBUG.keys()


def test_every_code_of_an_error_was_met(watched: Prometheus) -> None:
    met = watched.query("sum by (component, code) (classifier_requests_total) > 0")
    expected = {"ok", "client_gone"} | {leaf.code for leaf in leaves()} - UNHAPPENED.keys()
    assert {(sample.labels["component"], sample.labels["code"]) for sample in met} == {
        *(("transformer", code) for code in expected),
        *(("predictor", code) for code in expected - OF_TRANSFORMER),
    }


def test_every_door_that_infers_has_answered(watched: Prometheus) -> None:
    assert watched.query('sum by (component, route) (classifier_requests_total{outcome="success"}) == 0') == []
