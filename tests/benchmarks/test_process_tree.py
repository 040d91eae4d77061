"""CPU time and memory of processes and what descends from them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import process_tree

WORK = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
HOLD = "held = bytearray(64_000_000); print('ready', flush=True); input()"
NESTED = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"


@contextmanager
def python(code: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.communicate("\n")


def test_children_of_children_belong_to_it() -> None:
    with python(NESTED) as process:
        assert len(process_tree.members([process.pid])) == 2


def test_others_do_not_belong_to_it() -> None:
    with python(HOLD) as process:
        assert os.getpid() not in process_tree.members([process.pid])


def test_a_process_that_has_ended_has_no_members() -> None:
    with python("print()") as process:
        pass
    assert process_tree.members([process.pid]) == set()


@pytest.mark.parametrize("code", [HOLD, NESTED])
def test_memory_is_that_of_the_whole_tree(code: str) -> None:
    with python(code) as process:
        assert 64e6 < process_tree.pss_bytes([process.pid]) < 120e6


@pytest.mark.parametrize("code", [WORK, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORK!r}])"])
def test_cpu_time_is_that_of_the_process_and_of_children_that_have_ended(code: str) -> None:
    with python(f"{code}\nprint(flush=True); input()") as process:
        assert 0.28 <= process_tree.cpu_seconds([process.pid]) < 2
