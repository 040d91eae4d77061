"""In CI (`CI=true`) a test that skips has failed, unless its reason stands in ALLOWED_SKIPS."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

import bundle  # noqa: F401  # before any import of openvino, which else sends usage data
from tests.assets import WEIGHTS
from tests.bundles import make_bundle

# On a machine that others use too, a deadline of milliseconds fails at random.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# For scripts/mutation.py: the same examples in every run, and a failing one is enough as it is.
settings.register_profile("mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])

ALLOWED_SKIPS = frozenset({"no CUDA device", "no native bfloat16", "nobody here may make a cgroup that limits memory"})
"""What a machine of CI may lack."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of real ImageNet weights."""
    out = tmp_path_factory.mktemp("bundles") / "squeezenet1_1"
    return make_bundle(out, "--arch", "squeezenet1_1", "--weights", str(WEIGHTS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _judged((yield))


def _judged(report: Report) -> Report:
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        if reason not in ALLOWED_SKIPS:
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"
    return report


def _reason(report: Report) -> str:
    """pytest keeps a skip as (file, line, "Skipped: reason")."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
