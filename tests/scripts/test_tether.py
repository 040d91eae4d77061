import os
import subprocess
import sys

import pytest

from scripts.constraints import ROOT


def tethered(parent: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "tether.py"), str(parent), sys.executable, "-c", "print('ran')"]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_runs_in_the_place_of_the_tether() -> None:
    ran = tethered(os.getpid())
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ran\n", "")


@pytest.mark.parametrize("parent", [1, 2**22 + 1])
def test_the_command_does_not_run_when_the_parent_is_already_gone(parent: int) -> None:
    ran = tethered(parent)
    assert (ran.returncode, ran.stdout) == (1, "")
