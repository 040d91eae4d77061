"""The measurement: contenders take turns, load by load and round by round (A B C, A B C).

First each is started alone, so that its memory shares no pages with another's; then all run side by side, and those
that are not asked wait.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.answers import Referee
from benchmarks.cell import Cell, Start, cell
from benchmarks.contender import Contender
from benchmarks.contenders.floor import FloorOrder, floor_outcome_from
from benchmarks.load import Load, Sample
from benchmarks.photos import SMALL, Photos
from benchmarks.plan import Floor, Plan, Task
from benchmarks.server import Server, ordered, started, warm_up_seconds
from benchmarks.upload import upload

MEMORY_CLIENTS = 20


@dataclass(frozen=True)
class Files:
    """The photos on disk, plain and as requests."""

    photos: Mapping[str, Sequence[Path]]
    requests: Mapping[str, Sequence[Path]]


@dataclass
class Race:
    """`directory` takes photos, logs and what processes tell each other."""

    plan: Plan
    directory: Path
    cells: list[Cell] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    precisions: dict[str, str] = field(default_factory=dict)
    _referee: Referee = field(default_factory=Referee)

    async def run(self) -> None:
        """Fill `cells` and `starts`; raises RunError when a contender ends, is not ready or answers wrongly."""
        files = write_photos({task.photos for task in self.plan.tasks} | {SMALL}, self.directory)
        for number in range(self.plan.rounds):
            for contender in self.plan.contenders:
                await self._start_alone(contender, number, files)
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(self._started(each)) for each in self.plan.contenders]
            for number in range(self.plan.rounds):
                for task in self.plan.tasks:
                    await self._take_turns(servers, task, number, files)

    def _started(self, contender: Contender) -> AbstractAsyncContextManager[Server]:
        return started(contender, self.plan.bundle, self.plan.python(contender), self.directory)

    async def _start_alone(self, contender: Contender, number: int, files: Files) -> None:
        async with self._started(contender) as server:
            if contender.says_precision:
                self.precisions[contender.name] = await server.precision()
            for photos, requests in files.requests.items():
                self._check(server, photos, await server.answers(requests))
            load = Load("closed", MEMORY_CLIENTS, self.plan.seconds)
            outcome = await server.load(load, files.requests[SMALL.name], self.directory)
            self._check(server, SMALL.name, outcome.samples)
            self.starts.append(Start(contender.name, number, server.ready_seconds, server.pss_bytes()))
        _say(f"round {number + 1}: {contender.name} ready after {server.ready_seconds:.1f} s")

    async def _take_turns(self, servers: Sequence[Server], task: Task, number: int, files: Files) -> None:
        """The servers, then the ways of the floor."""
        for server in servers:
            if task.only_precision not in (None, server.contender.precision):
                continue
            outcome = await server.load(task.load, files.requests[task.photos.name], self.directory)
            self._check(server, task.photos.name, outcome.samples)
            self._add(cell(server.contender.name, task.photos.name, task.name, number, outcome))
        for floor in self.plan.floors_beside(task):
            await self._measure_floor(floor, task, number, files)

    async def _measure_floor(self, floor: Floor, task: Task, number: int, files: Files) -> None:
        photos, seconds = task.photos.name, task.load.seconds
        paths, warm_up = [str(path) for path in files.photos[photos]], warm_up_seconds(seconds)
        order = FloorOrder(str(self.plan.bundle), floor.precision, floor.mode, paths, seconds, warm_up)
        found = floor_outcome_from(await ordered("benchmarks.contenders.floor", asdict(order), self.directory))
        self._referee.check(floor.name, floor.precision, photos, found.load.samples)
        self._add(cell(floor.name, photos, task.name, number, found.load))
        self.starts.append(Start(floor.name, number, found.ready_seconds, found.pss_bytes))

    def _check(self, server: Server, photos: str, samples: Sequence[Sample]) -> None:
        self._referee.check(server.contender.name, server.contender.precision, photos, samples)

    def _add(self, found: Cell) -> None:
        self.cells.append(found)
        error = f", {found.errors} errors, the first: {found.first_error}" if found.errors else ""
        _say(f"round {found.round + 1}: {found.contender}, {found.photos}, {found.load}: {found.rate:.1f}/s{error}")


def write_photos(wanted: set[Photos], directory: Path) -> Files:
    """Every photo of every size as a file, and as a request."""
    plain: dict[str, list[Path]] = {}
    requests: dict[str, list[Path]] = {}
    for photos in wanted:
        for index, jpeg in enumerate(photos.jpegs()):
            path = directory / f"{photos.name}-{index}.jpg"
            path.write_bytes(jpeg)
            path.with_suffix(".http").write_bytes(upload(jpeg))
            plain.setdefault(photos.name, []).append(path)
            requests.setdefault(photos.name, []).append(path.with_suffix(".http"))
    return Files(plain, requests)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
