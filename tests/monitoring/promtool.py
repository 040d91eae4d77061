"""Rules as Prometheus itself reads and evaluates them, over series that are made up: Debian's promtool."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.alerts.alert import Alert
from monitoring.recording import Recording
from monitoring.rules import Group, document, groups
from tests.monitoring.case import Case, Firing
from tests.monitoring.syntax import metrics

Rule = Alert | Recording
Test = dict[str, Any]


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Skips the test where it is not installed, which in CI is a failure."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True)


def rules() -> list[Rule]:
    """All there are, in order."""
    return [rule for group in groups() for rule in group.rules]


def needed(rule: Rule) -> list[Rule]:
    """The rule, after all recordings that it is worked out from."""
    reads = metrics(rule.expr)
    before = [each for each in rules() if isinstance(each, Recording) and each.record in reads]
    known = list(dict.fromkeys(found for each in before for found in needed(each)))
    return [*known, rule]


def complaints(cases: Sequence[Case], given: Sequence[Rule], directory: Path) -> str:
    """What promtool says of the rules against the cases; empty when every one is kept."""
    alerts = [rule for rule in given if isinstance(rule, Alert)]
    steps = sorted({case.every for case in cases})
    return "".join(
        complaints_of([_test(case, alerts) for case in cases if case.every == every], given, directory, every)
        for every in steps
    )


def complaints_of(tests: Sequence[Test], given: Sequence[Rule], directory: Path, every: str = "1m") -> str:
    """The same of tests as promtool has them, with the rules evaluated at every step."""
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": tests}
    (directory / "rules.yaml").write_text(yaml.safe_dump(document([Group("given", given)])))
    (directory / "test.yaml").write_text(yaml.safe_dump(content))
    ran = promtool("test", "rules", directory / "test.yaml")
    return "" if ran.returncode == 0 else f"{ran.stdout}{ran.stderr}"


def mutants(alert: Alert) -> Iterator[tuple[str, Alert]]:
    """Slips of the pen: another metric, another threshold, another time."""
    for name in sorted(metrics(alert.expr)):
        yield f"{name} renamed", replace(alert, expr=re.sub(rf"(?<![\w:]){name}(?![\w:])", f"{name}_x", alert.expr))
    for found in re.finditer(r"(?<=[<>=] )[\d.]+", alert.expr):
        for number in _near(found[0]):
            mutated = f"{alert.expr[: found.start()]}{number}{alert.expr[found.end() :]}"
            yield f"{found[0]} is {number}", replace(alert, expr=mutated)
    doubled = re.sub(r"\d+", lambda number: str(2 * int(number[0])), alert.lasting)
    yield f"for {doubled}", replace(alert, lasting=doubled)


def _near(number: str) -> tuple[float, float]:
    """Less and more than it; of a count the next ones."""
    count = number.isdigit() and len(number) == 1
    return (int(number) - 1, int(number) + 1) if count else (0.75 * float(number), 1.25 * float(number))


def _test(case: Case, alerts: Sequence[Alert]) -> Test:
    expected = [_expected(case, firing, alerts) for firing in case.fires]
    return {
        "name": case.what,
        "interval": case.every,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"alertname": case.alert, "eval_time": case.at, "exp_alerts": expected}],
    }


def _expected(case: Case, firing: Firing, alerts: Sequence[Alert]) -> dict[str, Any]:
    labels = dict(re.findall(r'(\w+)="([^"]*)"', firing.labels))
    (alert,) = [alert for alert in alerts if alert.name == case.alert and dict(alert.labels).items() <= labels.items()]
    (group,) = document([Group("expected", [alert])])["groups"]
    annotations = group["rules"][0]["annotations"] | {"description": firing.says}
    return {"exp_labels": labels | {"severity": alert.severity}, "exp_annotations": annotations}
