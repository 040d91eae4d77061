"""How many cores this process may use: those of its affinity, or fewer where its cgroups allow less time."""

import os
from pathlib import Path

from serving import cgroup


def available_cores(root: Path = cgroup.ROOT) -> int:
    """Whole cores, at least 1: a limit of one and a half is one."""
    return max(1, int(cpu_limit_cores(root)))


def cpu_limit_cores(root: Path = cgroup.ROOT) -> float:
    """Cores whose time this process may use up."""
    return min([len(os.sched_getaffinity(0)), *cgroup.cpu_limits(root)])


def may_pin(threads: int) -> bool:
    """Whether so many threads may each be bound to a core: only when they fill all that the affinity names.

    Under a quota, every process on the machine sees the same cores, and all would bind theirs to the first ones.
    """
    return threads >= len(os.sched_getaffinity(0))
