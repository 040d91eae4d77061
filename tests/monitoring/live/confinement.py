"""A cgroup of a test's own in which a server has only so much memory, under v1 or v2."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CGROUPS = Path("/sys/fs/cgroup")
LIMITS = ("memory.limit_in_bytes", "memory.max")
"""The file of v1, and that of v2."""

_ENTER = 'echo $$ > "$0" && exec "$@"'


@contextmanager
def memory_limit(limit: int) -> Iterator[Sequence[str]]:
    """The beginning of a command that is to have at most so many bytes; skips where nobody may limit it."""
    group = _made()
    try:
        next(group / name for name in LIMITS if (group / name).exists()).write_text(str(limit))
        yield ("sh", "-c", _ENTER, str(group / "cgroup.procs"))
    finally:
        group.rmdir()


def _made() -> Path:
    """In this process's own cgroup, or in the nearest above it that passes its memory on."""
    for parent in _parents():
        group = parent / f"test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if any((group / name).exists() for name in LIMITS):
            return group
        group.rmdir()
    pytest.skip("nobody here may make a cgroup that limits memory")


def _parents() -> Iterator[Path]:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        mount = CGROUPS / controllers
        if controllers in {"", "memory"}:
            levels = (mount / path.lstrip("/"), *(mount / path.lstrip("/")).parents)
            yield from (each for each in levels if (each / "cgroup.procs").exists())
