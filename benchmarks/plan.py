"""What is measured: who takes part, under which loads, how often and how long."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.contender import FLOOR, PRECISIONS, Contender, contenders
from benchmarks.contenders.floor import MODES, OVERLAPPED, SERIAL
from benchmarks.load import Load
from benchmarks.photos import LARGE, SMALL, Photos
from predictor.engine import Precision, graph_of
from scripts.errors import RunError

CLIENTS = (1, 4, 20, 64)
CROWD = 20
"""The clients under whom throughput is compared."""

CLIENTS_LARGE = (1, 4)
RATES = (5, 15, 25, 40)
"""Requests a second: from a light load to one that is more than a slow contender can answer."""
STEADY_CLIENTS, STEADY_TIMES = 4, 6
"""The load for the tail of latencies, and how many times longer it lasts than the others."""

STEADY = f"c={STEADY_CLIENTS} long"


FloorBeside = Literal["all", "serial", "closed loop", "none"]


@dataclass(frozen=True)
class Task:
    """A load with photos of one size; `only_precision` leaves the others out.

    `floor` says which ways of the floor take their turn beside it: they are compared with what the servers do in it.
    """

    name: str
    photos: Photos
    load: Load
    floor: FloorBeside = "none"
    only_precision: str | None = None


@dataclass(frozen=True)
class Floor:
    """One way in which the floor works."""

    precision: Precision
    mode: str

    @property
    def name(self) -> str:
        return f"{FLOOR} {self.precision} {self.mode}"

    @property
    def is_closed_loop(self) -> bool:
        """Whether its latencies are those that clients of a closed loop would see."""
        return self.mode == OVERLAPPED


@dataclass(frozen=True)
class Plan:
    """`left_out` says who does not take part, and why."""

    bundle: Path
    contenders: tuple[Contender, ...]
    floors: tuple[Floor, ...]
    tasks: tuple[Task, ...]
    rounds: int
    seconds: float
    pythons: Mapping[str, str]
    left_out: tuple[str, ...]

    def floors_beside(self, task: Task) -> list[Floor]:
        """The ways of the floor that take their turn in a task."""
        return [
            each
            for each in self.floors
            if task.floor == "all"
            or (task.floor == "serial" and each.mode == SERIAL)
            or (task.floor == "closed loop" and each.is_closed_loop and each.precision == task.only_precision)
        ]

    def python(self, contender: Contender) -> str:
        """The interpreter that has a contender's package."""
        return self.pythons.get(contender.name, sys.executable)


def plan(
    bundle: Path,
    rounds: int,
    seconds: float,
    only: Sequence[str],
    loads: Sequence[str],
    pythons: Mapping[str, str],
    variants: Sequence[str] = (),
) -> Plan:
    """Everything that the bundle and the installed packages allow and that was asked for.

    `only` and `loads` hold parts of names; empty: all. `variants` are settings, `NAME=VALUE`, to compare with.
    """
    graphs = _graphs(bundle)
    asked = [each for each in contenders(variants) if _wanted(each.name, only)]
    missing = {each.name: _missing(each, graphs, pythons) for each in asked}
    floors = [Floor(precision, mode) for precision in PRECISIONS for mode in MODES if graph_of(precision) in graphs]
    found = Plan(
        bundle,
        tuple(each for each in asked if missing[each.name] is None),
        tuple(each for each in floors if _wanted(each.name, only)),
        tuple(each for each in tasks(seconds) if _wanted(f"{each.photos.name} {each.name}", loads)),
        rounds,
        seconds,
        pythons,
        tuple(f"{name}: {why}" for name, why in missing.items() if why),
    )
    if not found.contenders or not found.tasks:
        raise RunError("--only, --loads: nothing is left to measure")
    return found


def tasks(seconds: float) -> Iterator[Task]:
    """Every load; the last ones are those with large photos."""
    for clients in CLIENTS:
        beside: dict[int, FloorBeside] = {1: "serial", CROWD: "all"}
        yield _task(SMALL, Load("closed", clients, seconds), beside.get(clients, "none"))
    for rate in RATES:
        yield _task(SMALL, Load("open", rate, seconds))
    steady = Load("closed", STEADY_CLIENTS, STEADY_TIMES * seconds)
    yield Task(STEADY, SMALL, steady, "closed loop", only_precision="bfloat16")
    for clients in CLIENTS_LARGE:
        yield _task(LARGE, Load("closed", clients, seconds), "all" if clients == max(CLIENTS_LARGE) else "none")


def _task(photos: Photos, load: Load, floor: FloorBeside = "none") -> Task:
    return Task(load.name, photos, load, floor)


def _wanted(name: str, parts: Sequence[str]) -> bool:
    return not parts or any(part in name for part in parts)


def _graphs(bundle: Path) -> set[str]:
    try:
        return set(json.loads((bundle / "model.json").read_text()).get("graphs", {}))
    except (OSError, ValueError) as error:
        raise RunError(f"--bundle: expected a bundle (a directory with model.json), got {bundle}") from error


def _missing(contender: Contender, graphs: set[str], pythons: Mapping[str, str]) -> str | None:
    """Why a contender cannot take part."""
    if contender.graph and contender.graph not in graphs:
        return f"the bundle has no graph {contender.graph}"
    if contender.package and not _installed(contender.package, pythons.get(contender.name)):
        return f"package {contender.package} is not installed (another interpreter: --python '{contender.name}=PATH')"
    return None


def _installed(package: str, python: str | None) -> bool:
    if python is None:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    return subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode == 0  # noqa: S603  # our own words
