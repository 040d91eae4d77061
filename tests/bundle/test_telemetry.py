"""OpenVINO and NNCF would tell their makers what is done with them."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"}:
        with open(sys.argv[2], "a") as attempts:  # it is a forked child that sends
            print(event, arguments, file=attempts)
        raise ConnectionRefusedError(event)

sys.addaudithook(watch)

from bundle.__main__ import main

small = ["--arch", "squeezenet1_1", "--weights", "untrained", "--resize", "64", "--crop", "64"]
assert main(["make", "--out", sys.argv[1], *small, "--benchmark-only"]) == 0
assert {"openvino", "nncf"} <= set(sys.modules)
from openvino.tools.ovc import telemetry
telemetry.force_shutdown(5)
"""


@pytest.mark.slow
def test_nothing_is_sent_and_nothing_is_kept_to_be_sent(tmp_path: Path) -> None:
    """Not in pytest's own process, where NNCF would keep quiet anyway; and in spite of a person's consent on file."""
    consent = tmp_path / "home" / "intel" / "openvino_telemetry"
    consent.parent.mkdir(parents=True)
    consent.write_text("1")
    attempts = tmp_path / "attempts"
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "bundle"), str(attempts)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path / "home")}, timeout=200)
    assert done.returncode == 0, done.stderr
    assert not attempts.exists(), attempts.read_text()
    assert list(consent.parent.iterdir()) == [consent]
