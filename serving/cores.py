"""How many cores this process may use: those of its affinity, or fewer where its cgroups (v1 or v2) allow less time."""

import os
from collections.abc import Iterator
from pathlib import Path


def available_cores(root: Path = Path("/")) -> int:
    """Whole cores, at least 1: a limit of one and a half is one. `root` is what `proc` and `sys` stand in."""
    return max(1, int(min([len(os.sched_getaffinity(0)), *_limits(root)])))


def may_pin(threads: int) -> bool:
    """Whether so many threads may each be bound to a core: only when they fill all that the affinity names.

    Under a quota, every process on the machine sees the same cores, and all would bind theirs to the first ones.
    """
    return threads >= len(os.sched_getaffinity(0))


def _limits(root: Path) -> Iterator[float]:
    """In cores, of every cgroup that this process is in and that has a limit."""
    membership = root / "proc/self/cgroup"  # proc_pid_cgroup(5): id:controllers:path, v2 without id and controllers
    mounts = root / "sys/fs/cgroup"
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from filter(None, map(_limit_v2, _levels(mounts, path)))
        elif "cpu" in controllers.split(","):
            yield from filter(None, map(_limit_v1, _levels(mounts / "cpu", path)))


def _levels(mount: Path, path: str) -> list[Path]:
    """The cgroup and those above it. In a container only the mount itself may be there, which is then its own."""
    group = mount / path.lstrip("/")
    return [level for level in (group, *group.parents) if level.is_relative_to(mount)]


def _limit_v2(group: Path) -> float | None:
    file = group / "cpu.max"
    quota, period = file.read_text().split() if file.exists() else ("max", "")
    return None if quota == "max" else int(quota) / int(period)


def _limit_v1(group: Path) -> float | None:
    file = group / "cpu.cfs_quota_us"
    quota = int(file.read_text()) if file.exists() else -1
    return quota / int((group / "cpu.cfs_period_us").read_text()) if quota > 0 else None
