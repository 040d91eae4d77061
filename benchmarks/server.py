"""A contender that runs: started, ready, asked by the load generator, weighed."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import process_tree
from benchmarks.connection import Answer, Pool
from benchmarks.contender import Contender, Program, Site
from benchmarks.load import Load, Order, Outcome, Sample, outcome_from
from scripts.child import Child, running, while_alive
from scripts.errors import RunError
from scripts.port import HOST

READY_SECONDS = 180
POLL_SECONDS = 0.02
WARM_UP_SHARE = 0.15
"""Of a load's time; at least enough for some requests."""

LEAST_WARM_UP_SECONDS = 0.3
LEAST_PATIENCE_SECONDS = 30
OK = 200


@dataclass(frozen=True)
class Server:
    """Its processes live as long as the block that started them."""

    contender: Contender
    site: Site
    children: tuple[Child, ...]
    ready_seconds: float

    @property
    def pids(self) -> list[int]:
        return [child.process.pid for child in self.children]

    def pss_bytes(self) -> int:
        return process_tree.pss_bytes(self.pids)

    async def precision(self) -> str:
        """What it says that it computes in; raises RunError when that is not what it was told."""
        info = await model_info(self.site.port)
        said = info.get("engine", {}).get("precision")
        if said != self.contender.precision:
            raise RunError(f"{self.contender.name}: /model/info: expected {self.contender.precision}, got {said}")
        return str(said)

    async def answers(self, requests: Sequence[Path]) -> list[Sample]:
        """To each photo once, one after the other; raises RunError when one is refused."""
        found = []
        for photo, path in enumerate(requests):
            status, body = await _ask(self.site.port, path.read_bytes())
            if status != OK:
                text = body[:200].decode(errors="replace")
                raise RunError(f"{self.contender.name}, {path.stem}: expected status {OK}, got {status}: {text}")
            found.append(Sample(photo, 0, 0, status, body.decode()))
        return found

    async def load(self, load: Load, requests: Sequence[Path], directory: Path) -> Outcome:
        """Run the generator in a process of its own."""
        order = Order(
            host=HOST,
            port=self.site.port,
            requests=[str(path) for path in requests],
            load=load,
            warm_up_seconds=warm_up_seconds(load.seconds),
            patience_seconds=max(LEAST_PATIENCE_SECONDS, 3 * load.seconds),
            pids=self.pids,
        )
        work = ordered("benchmarks.load", asdict(order), directory)
        return outcome_from(await while_alive(work, *self.children))


def warm_up_seconds(seconds: float) -> float:
    return max(LEAST_WARM_UP_SECONDS, WARM_UP_SHARE * seconds)


@asynccontextmanager
async def started(contender: Contender, bundle: Path, python: str, logs: Path) -> AsyncIterator[Server]:
    """The contender, once it is ready."""
    site = contender.site(bundle, python)
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        children = tuple([await stack.enter_async_context(_child(contender, each, logs)) for each in site.programs])
        await while_alive(until_ready(site.port, site.ready), *children)
        yield Server(contender, site, children, time.monotonic() - begun)


async def until_ready(port: int, path: str) -> None:
    """Wait until `path` is answered with 200."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await _is_ready(port, path):  # noqa: ASYNC110  # a port tells nobody
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise RunError(f"{path} on port {port}: not ready after {READY_SECONDS} s") from error


async def model_info(port: int) -> dict[str, Any]:
    """The document at `/model/info`."""
    status, body = await _get(port, "/model/info")
    if status != OK:
        raise RunError(f"/model/info: expected status {OK}, got {status}")
    document: dict[str, Any] = json.loads(body)
    return document


async def ordered(module: str, order: dict[str, Any], directory: Path) -> dict[str, Any]:
    """What `python -m module` writes, given an order; raises RunError when it fails."""
    given, found, log = (directory / f"{module}.{kind}" for kind in ("order", "outcome", "log"))
    given.write_text(json.dumps(order))
    async with running(module, (sys.executable, "-m", module, str(given), str(found)), log=log) as child:
        if code := await child.finished():
            raise RunError(f"{module} ended with exit code {code}: {log.read_text()[-2000:]}")
    outcome: dict[str, Any] = json.loads(found.read_text())
    return outcome


def _child(contender: Contender, program: Program, logs: Path) -> AbstractAsyncContextManager[Child]:
    log = logs / f"{contender.name}-{program.name}.log".replace(" ", "-")
    return running(f"{program.name} of {contender.name}", program.command, program.environment, log)


async def _is_ready(port: int, path: str) -> bool:
    try:
        return (await _get(port, path))[0] == OK
    except OSError:
        return False


async def _get(port: int, path: str) -> Answer:
    return await _ask(port, f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())


async def _ask(port: int, request: bytes) -> Answer:
    pool = Pool(HOST, port, [])
    try:
        return await pool.send(request)
    finally:
        pool.close()
