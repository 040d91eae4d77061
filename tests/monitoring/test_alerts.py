"""Every alert fires when it must and is silent else, as promtool evaluates it, and slips in it are noticed."""

import re
from pathlib import Path

import pytest

from monitoring.alerts.alert import Alert
from monitoring.rules import alerts
from tests.monitoring.case import Case
from tests.monitoring.cases import budget, canary, classic, cluster, model, saturation, serving, watching
from tests.monitoring.promtool import complaints, mutants, needed

CASES = [
    case for table in (classic, budget, canary, saturation, serving, model, watching, cluster) for case in table.CASES
]


def named(alert: Alert) -> str:
    return " ".join([alert.name, *(value for _, value in alert.labels)])


def about(alert: Alert) -> list[Case]:
    """The cases of an alert."""
    labels = dict(alert.labels)
    return [
        case for case in CASES if case.alert == alert.name and labels == dict(re.findall(r'(\w+)="(.*?)"', case.of))
    ]


@pytest.mark.parametrize("alert", alerts(), ids=named)
def test_an_alert_fires_when_it_must_and_is_silent_else(alert: Alert, tmp_path: Path) -> None:
    assert complaints(about(alert), needed(alert), tmp_path) == ""


@pytest.mark.parametrize("alert", alerts(), ids=named)
def test_an_alert_has_a_case_of_each_kind(alert: Alert) -> None:
    assert {bool(case.fires) for case in about(alert)} == {True, False}


def test_no_case_is_about_an_alert_that_there_is_not() -> None:
    known = [case for alert in alerts() for case in about(alert)]
    assert [case for case in CASES if case not in known] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alert", "mutant"),
    [
        pytest.param(alert, mutant, id=f"{named(alert)}: {slip}")
        for alert in alerts()
        for slip, mutant in mutants(alert)
    ],
)
def test_a_slip_in_an_alert_is_noticed(alert: Alert, mutant: Alert, tmp_path: Path) -> None:
    given = [*needed(alert)[:-1], mutant]
    assert any(complaints([case], given, tmp_path) for case in about(alert))
