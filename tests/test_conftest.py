"""The rule that CI knows no silent skips, seen from outside: a small suite, run with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SUITE = """
import pytest

def test_that_passes(): pass

@pytest.mark.skip(reason="assets are not here")
def test_skipped_by_a_mark(): pass

def test_skipped_as_it_runs(): pytest.skip("assets are not here")

@pytest.mark.skip(reason="no CUDA device")
def test_skipped_for_an_allowed_reason(): pass

@pytest.mark.xfail(reason="known")
def test_expected_to_fail(): raise AssertionError
"""

SKIPPED_WHOLE = 'import pytest\npytest.skip("assets are not here", allow_module_level=True)\n'


def outcome(directory: Path, suite: str, ci: str) -> str:
    """The closing line of pytest."""
    (directory / "test_suite.py").write_text(suite)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(directory), str(directory)],
        cwd=ROOT,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
    )
    return ran.stdout.splitlines()[-1]


def test_in_ci_a_skip_is_a_failure_unless_its_reason_is_allowed(tmp_path: Path) -> None:
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in outcome(tmp_path, SUITE, ci="true")


def test_in_ci_a_module_that_skips_itself_is_an_error(tmp_path: Path) -> None:
    assert "1 error" in outcome(tmp_path, SKIPPED_WHOLE, ci="true")


@pytest.mark.parametrize("ci", ["", "false"])
def test_elsewhere_a_skip_is_a_skip(tmp_path: Path, ci: str) -> None:
    assert "1 passed, 3 skipped, 1 xfailed" in outcome(tmp_path, SUITE, ci)
