"""How a script for Kubernetes ends: its exit code, and the lines on stderr that say why."""

import sys
from collections.abc import Callable

from scripts.deployment.exchange import UNREACHED, ClusterError
from scripts.errors import RunError

INTERRUPTED = 130
"""What a shell calls the end by Ctrl-C."""


def outcome(work: Callable[[], object]) -> int:
    """Exit code: 0 when `work` was done, 1 when it gave False or failed, which is told, 130 after Ctrl-C."""
    try:
        return 1 if work() is False else 0
    except ClusterError as error:
        missing = "expected an answer of the API server, found none: " if error.status == UNREACHED else ""
        _tell(f"cluster: {missing}{error}")
    except RunError as error:
        _tell(str(error))
    except KeyboardInterrupt:
        _tell("interrupted: what was done so far stays as told above")
        return INTERRUPTED
    return 1


def _tell(text: str) -> None:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)
