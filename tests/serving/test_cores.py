import os
from pathlib import Path

import pytest

from serving.cores import available_cores, may_pin

CORES = len(os.sched_getaffinity(0))


def machine(root: Path, membership: str, files: dict[str, str]) -> Path:
    """A root directory with these files below /sys/fs/cgroup."""
    cgroups = {root / "sys/fs/cgroup" / name: text for name, text in files.items()}
    for path, text in (cgroups | {root / "proc/self/cgroup": membership}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cores(tmp_path) == CORES


def test_of_this_process_there_is_at_least_one_and_no_more_than_its_affinity() -> None:
    assert 1 <= available_cores() <= CORES


@pytest.mark.parametrize(
    ("cpu_max", "cores"),
    [
        ("max 100000", CORES),
        ("100000 100000", 1),
        ("10000 100000", 1),
        ("190000 100000", 1),
        ("200000 100000", min(2, CORES)),
        ("100000 50000", min(2, CORES)),
        (f"{CORES * 100000} 100000", CORES),
        ("99900000 100000", CORES),
    ],
)
def test_a_limit_of_cgroup_v2_counts_in_whole_cores(cpu_max: str, cores: int, tmp_path: Path) -> None:
    assert available_cores(machine(tmp_path, "0::/", {"cpu.max": cpu_max})) == cores


@pytest.mark.parametrize("limited", ["a", "a/b"])
def test_a_limit_anywhere_above_counts(limited: str, tmp_path: Path) -> None:
    files = {"a/cpu.max": "max 100000", "a/b/cpu.max": "max 100000", f"{limited}/cpu.max": "100000 100000"}
    assert available_cores(machine(tmp_path, "0::/a/b", files)) == 1


def test_the_limit_of_another_cgroup_does_not_count(tmp_path: Path) -> None:
    assert available_cores(machine(tmp_path, "0::/a", {"b/cpu.max": "1000 100000"})) == CORES


@pytest.mark.parametrize(("quota", "cores"), [("-1", CORES), ("100000", 1), ("5000", 1)])
@pytest.mark.parametrize("group", ["", "docker/abc/"])
def test_a_limit_of_cgroup_v1_counts(group: str, quota: str, cores: int, tmp_path: Path) -> None:
    """A container sees the path that the host gave, and at the mount its own cgroup."""
    files = {f"cpu/{group}cpu.cfs_quota_us": quota, f"cpu/{group}cpu.cfs_period_us": "100000"}
    root = machine(tmp_path, "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/system", files)
    assert available_cores(root) == cores


def test_the_set_of_cpus_is_not_the_limit_of_time(tmp_path: Path) -> None:
    files = {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}
    assert available_cores(machine(tmp_path, "3:cpuset:/", files)) == CORES


def test_threads_may_be_pinned_only_where_they_fill_the_affinity() -> None:
    assert may_pin(CORES)
    assert not may_pin(CORES - 1)
