import asyncio
import sys
from pathlib import Path

import pytest

from scripts.child import Child, running, while_alive
from scripts.errors import RunError
from tests.scripts.processes import runs

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def written(child: Child) -> str:
    """Its log, once there is something in it."""
    assert child.log is not None
    while not (text := child.log.read_text()):  # noqa: ASYNC110  # a file tells nobody
        await asyncio.sleep(0.02)
    return text


async def test_a_child_does_not_outlive_its_block() -> None:
    async with running("sleeper", SLEEP) as child:
        assert runs(child.process.pid)
    assert not runs(child.process.pid)


async def test_a_child_is_stopped_when_the_block_fails() -> None:
    with pytest.raises(KeyError):
        async with running("sleeper", SLEEP) as child:
            raise KeyError
    assert not runs(child.process.pid)


async def test_a_child_that_ignores_sigterm_is_killed_after_a_while(tmp_path: Path) -> None:
    async with running("deaf", program(STUBBORN), log=tmp_path / "log", stop_seconds=0.1) as child:
        await written(child)
    assert await child.finished() == -9


async def test_a_child_gets_our_environment_with_its_own_on_top_and_its_log_takes_what_it_prints(
    tmp_path: Path,
) -> None:
    code = "import os, sys; print(os.environ['COLOUR'], 'PATH' in os.environ); sys.exit('end')"
    async with running("painter", program(code), {"COLOUR": "red"}, tmp_path / "log") as child:
        assert await child.finished() == 1
    assert sorted(lines(tmp_path / "log")) == ["end", "red True"]


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


async def test_work_that_succeeds_gives_its_result() -> None:
    async with running("sleeper", SLEEP) as child:
        assert await while_alive(asyncio.sleep(0, "done"), child) == "done"


async def test_work_ends_with_the_child_that_dies(tmp_path: Path) -> None:
    code = "import sys; [print(n) for n in range(100)]; sys.exit(4)"
    async with running("counter", program(code), log=tmp_path / "log") as child, running("sleeper", SLEEP) as other:
        with pytest.raises(RunError) as caught:
            await while_alive(asyncio.sleep(60), child, other)
    assert str(caught.value) == f"the counter ended with exit code 4: 99 (its log: {tmp_path / 'log'})"


async def test_a_child_that_ends_well_has_died_too() -> None:
    async with running("quick", program("")) as child:
        with pytest.raises(RunError, match=r"^the quick ended with exit code 0$"):
            await while_alive(asyncio.sleep(60), child)


async def test_work_that_fails_keeps_its_error_while_the_children_live() -> None:
    async def fail() -> None:
        raise KeyError("work")

    async with running("sleeper", SLEEP) as child:
        with pytest.raises(KeyError, match="work"):
            await while_alive(fail(), child)
