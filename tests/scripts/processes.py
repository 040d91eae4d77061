"""What a test sees of processes, from outside."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 20


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(holds: Callable[[], bool]) -> None:
    """Return once `holds`; raises TimeoutError when it does not for long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{holds} does not hold after {PATIENCE_SECONDS} s")
        time.sleep(0.02)
