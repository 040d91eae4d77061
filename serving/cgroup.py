"""What this process's cgroups (v1 or v2) let it have; `root` is what `proc` and `sys` stand in."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def cpu_limits(root: Path = ROOT) -> list[float]:
    """In cores, of every cgroup that this process is in and that has a limit."""
    return [limit for controllers, group in _groups(root, "cpu") if (limit := _cpu_limit(controllers, group))]


def memory_limits(root: Path = ROOT) -> list[int]:
    """In bytes, of every cgroup that this process is in and that has a limit."""
    return [limit for controllers, group in _groups(root, "memory") if (limit := _memory_limit(controllers, group))]


def _groups(root: Path, controller: str) -> Iterator[tuple[str, Path]]:
    """The controllers (none in v2) and directory of each cgroup that may limit this, those above it included."""
    membership = root / "proc/self/cgroup"  # proc_pid_cgroup(5): id:controllers:path, v2 without id and controllers
    mounts = root / "sys/fs/cgroup"
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from (("", level) for level in _levels(mounts, path))
        elif controller in controllers.split(","):
            yield from ((controllers, level) for level in _levels(mounts / controller, path))


def _levels(mount: Path, path: str) -> list[Path]:
    """The cgroup and those above it. In a container only the mount itself may be there, which is then its own."""
    group = mount / path.lstrip("/")
    return [level for level in (group, *group.parents) if level.is_relative_to(mount)]


def _cpu_limit(controllers: str, group: Path) -> float | None:
    return _cpu_limit_v1(group) if controllers else _cpu_limit_v2(group)


def _cpu_limit_v2(group: Path) -> float | None:
    file = group / "cpu.max"
    quota, period = file.read_text().split() if file.exists() else ("max", "")
    return None if quota == "max" else int(quota) / int(period)


def _cpu_limit_v1(group: Path) -> float | None:
    file = group / "cpu.cfs_quota_us"
    quota = int(file.read_text()) if file.exists() else -1
    return quota / int((group / "cpu.cfs_period_us").read_text()) if quota > 0 else None


_NO_LIMIT_V1 = 1 << 62
"""Without a limit, v1 says the largest number of pages there can be."""


def _memory_limit(controllers: str, group: Path) -> int | None:
    file = group / ("memory.limit_in_bytes" if controllers else "memory.max")
    text = file.read_text().strip() if file.exists() else "max"
    return int(text) if text != "max" and int(text) < _NO_LIMIT_V1 else None
