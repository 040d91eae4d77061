"""A process that lives no longer than the block that started it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from scripts.errors import RunError

Command = Sequence[str]
T = TypeVar("T")

STOP_SECONDS = 40
"""Longer than the grace period in which a server answers what it has accepted."""

END_SECONDS = 1
"""Longer than a process takes from its last answer to its end."""

_TETHER = (sys.executable, "-P", str(Path(__file__).with_name("tether.py")))


@dataclass(frozen=True)
class Child:
    """A running process and the file that takes what it prints (None: the terminal)."""

    name: str
    process: Process
    log: Path | None

    async def finished(self) -> int:
        """Exit code, once the process has ended; negative when a signal ended it."""
        return await self.process.wait()

    async def died(self) -> NoReturn:
        """Wait for the process to end, which it should not; raises RunError with the last line of its log."""
        code = await self.finished()
        how = f"with exit code {code}" if code >= 0 else f"by signal {signal.Signals(-code).name}"
        raise RunError(f"the {self.name} ended {how}{_last_line(self.log)}")


@asynccontextmanager
async def running(
    name: str,
    command: Command,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    stop_seconds: float = STOP_SECONDS,
) -> AsyncIterator[Child]:
    """Run `command` with `environment` on top of ours; leaving the block stops it: SIGTERM, and in the end SIGKILL."""
    process = await _start([*_TETHER, str(os.getpid()), *command], os.environ | (environment or {}), log)
    try:
        yield Child(name, process, log)
    finally:
        await _stop(process, stop_seconds)


async def while_alive(work: Coroutine[None, None, T], *children: Child) -> T:
    """What `work` gives; raises RunError as soon as one of `children` ends."""
    first = asyncio.create_task(work)
    watches = [asyncio.create_task(child.died()) for child in children]
    try:
        await asyncio.wait([first, *watches], return_when=asyncio.FIRST_COMPLETED)
        if first.done() and first.exception():  # perhaps because a child is just ending
            await asyncio.wait(watches, timeout=END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for watch in watches:
            if watch.done():
                watch.result()
        return await first
    finally:
        for task in (first, *watches):
            task.cancel()
        await asyncio.gather(first, *watches, return_exceptions=True)


async def _start(command: Command, environment: Mapping[str, str], log: Path | None) -> Process:
    # A session of its own: Ctrl-C reaches it once, from us and in our order.
    start = partial(asyncio.create_subprocess_exec, *command, env=environment, stdin=DEVNULL, start_new_session=True)
    if log is None:
        return await start()
    with log.open("wb") as output:
        return await start(stdout=output, stderr=STDOUT)


async def _stop(process: Process, stop_seconds: float) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(stop_seconds):
            await process.wait()
    except TimeoutError:
        pass
    finally:  # also when a second Ctrl-C ends the patience
        await _kill(process)


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _last_line(log: Path | None) -> str:
    """What the child said last, which is why it ended, and where all of it is."""
    if log is None:
        return ""
    lines = log.read_text(errors="replace").splitlines() or ["it said nothing"]
    return f": {lines[-1]} (its log: {log})"
