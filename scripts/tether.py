"""`python tether.py PARENT COMMAND…` becomes COMMAND, which is asked to stop (SIGTERM) when the process PARENT ends.

However PARENT ends: the kernel sees to it. That is Linux alone; elsewhere COMMAND outlives a parent killed by force.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From `linux/prctl.h`; survives the exec."""


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was told
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
