"""What processes and all their descendants use, from `/proc` (Linux)."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _CPU = 1, slice(11, 15)
"""Fields of `stat` after the command's name: the parent; user and system time, own and of children that ended."""


def members(roots: Iterable[int]) -> set[int]:
    """`roots` that live and everything that descends from them."""
    parents = {pid: int(fields[_PARENT]) for pid, fields in _every_stat()}
    found, more = set[int](), set(roots) & parents.keys()
    while more:
        found |= more
        more = {pid for pid, parent in parents.items() if parent in more} - found
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU time used so far by all of them, in user and system mode."""
    inside = members(roots)
    return sum(sum(map(int, fields[_CPU])) for pid, fields in _every_stat() if pid in inside) / _TICKS


def pss_bytes(roots: Iterable[int]) -> int:
    """Proportional set size of all of them: a page that n processes share counts one n-th in each."""
    return sum(_pss_bytes(pid) for pid in members(roots))


def _every_stat() -> Iterator[tuple[int, list[str]]]:
    for directory in PROC.iterdir():
        if directory.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                yield int(directory.name), (directory / "stat").read_text().rpartition(")")[2].split()


def _pss_bytes(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
