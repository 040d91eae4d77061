"""How much memory the cgroups of a process leave it; what they leave of the cores is told with those."""

from pathlib import Path

import pytest

from serving.cgroup import memory_limits
from tests.serving.test_cores import machine

V1 = "5:memory:/docker/abc\n0::/system"


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert memory_limits(tmp_path) == []


@pytest.mark.parametrize(("text", "limits"), [("max", []), ("1073741824", [1073741824])])
def test_a_limit_of_cgroup_v2_is_told(text: str, limits: list[int], tmp_path: Path) -> None:
    assert memory_limits(machine(tmp_path, "0::/", {"memory.max": text})) == limits


def test_every_limit_above_is_told(tmp_path: Path) -> None:
    files = {"a/memory.max": "2000", "a/b/memory.max": "1000", "c/memory.max": "1"}
    assert sorted(memory_limits(machine(tmp_path, "0::/a/b", files))) == [1000, 2000]


@pytest.mark.parametrize(("text", "limits"), [("9223372036854771712", []), ("4096000", [4096000])])
@pytest.mark.parametrize("group", ["", "docker/abc/"])
def test_a_limit_of_cgroup_v1_is_told(group: str, text: str, limits: list[int], tmp_path: Path) -> None:
    """Without a limit it states the largest number of pages."""
    assert memory_limits(machine(tmp_path, V1, {f"memory/{group}memory.limit_in_bytes": text})) == limits
