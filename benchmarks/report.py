"""The figures as tables of Markdown for a person, and as JSON."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cell import Cell, medians
from benchmarks.contender import PLAIN
from benchmarks.figures import Figures, p50, rate
from benchmarks.plan import Plan
from benchmarks.targets import Target
from serving.cores import available_cores

PACKAGES = ("fastapi", "kserve", "numpy", "openvino", "pillow", "torch", "torchvision", "uvicorn", "uvloop")
NOTHING = "-"


def load_table(figures: Figures, precisions: Mapping[str, str]) -> Iterator[str]:
    """A row for each contender and load; ratios are to the plain way and to the floor's best way beside it."""
    yield (
        "| photos | load | contender | requests | errors | rate/s | p50 ms | p95 ms | p99 ms | CPU-ms | generator |"
        " rate / plain | p50 / plain | rate / floor |"
    )
    yield "|---|---|---|" + "--:|" * 11
    order = list(dict.fromkeys((each.photos, each.load, each.contender) for each in figures.cells))
    found = {(each.photos, each.load, each.contender): each for each in medians(figures.cells)}
    for place in sorted(order, key=lambda each: _rank(each, order)):
        yield _load_row(found[place], figures, precisions)


def _rank(place: tuple[str, str, str], order: Sequence[tuple[str, str, str]]) -> tuple[int, int]:
    """Loads in the order of their first turn, contenders within them in theirs."""
    first = next(index for index, each in enumerate(order) if each[:2] == place[:2])
    return first, order.index(place)


def _load_row(cell: Cell, figures: Figures, precisions: Mapping[str, str]) -> str:
    ours = figures.rounds(*cell.place)
    plain = figures.rounds(PLAIN, cell.photos, cell.load)
    floor = figures.floor(precisions.get(cell.contender, ""), cell.photos, cell.load)
    ratios = (figures.ratio(rate, ours, plain), figures.ratio(p50, ours, plain), figures.ratio(rate, ours, floor))
    times = " | ".join(f"{value:.1f}" for value in (cell.rate, cell.p50_ms, cell.p95_ms, cell.p99_ms, cell.cpu_ms))
    counts = f"{cell.requests} | {cell.errors}"
    shown = " | ".join(_number(value) for value in ratios)
    place = f"{cell.photos} | {cell.load} | {cell.contender}"
    return f"| {place} | {counts} | {times} | {cell.generator_cpu_ms:.2f} | {shown} |"


def start_table(figures: Figures) -> Iterator[str]:
    """Start and memory of each contender."""
    yield "| contender | start to ready s | PSS after load MB |"
    yield "|---|--:|--:|"
    for name in dict.fromkeys(each.contender for each in figures.starts):
        ready, memory = figures.ready_seconds(name), figures.memory_bytes(name)
        yield f"| {name} | {_number(ready)} | {NOTHING if memory is None else f'{memory / 1e6:.0f}'} |"


def target_table(targets: Sequence[Target]) -> Iterator[str]:
    """Value, target and verdict."""
    yield "| figure | value | target | |"
    yield "|---|--:|---|---|"
    for each in targets:
        yield f"| {each.name} | {_number(each.value)} | {each.bound} {each.limit:g} | {each.verdict} |"


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": available_cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
    }


def versions(plan: Plan) -> dict[str, str]:
    """Of the packages that the figures hang on; a peer's only when it took part from this environment."""
    peers = [each.package.partition(".")[0] for each in plan.contenders if each.package]
    found = {}
    for package in (*PACKAGES, *peers):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "another environment's"
    return found


def document(plan: Plan, figures: Figures, targets: Sequence[Target], precisions: dict[str, str]) -> dict[str, Any]:
    """All of it for JSON: every round's figures, and what they were measured with."""
    return {
        "machine": machine(),
        "versions": versions(plan),
        "settings": {
            "bundle": plan.bundle.name,
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "precisions": precisions,
            "left_out": plan.left_out,
        },
        "cells": [asdict(each) for each in figures.cells],
        "starts": [asdict(each) for each in figures.starts],
        "predictor_starts": [asdict(each) for each in figures.startings],
        "batcher_ms": figures.batcher_ms,
        "decode": asdict(figures.decode) if figures.decode else None,
        "targets": [asdict(each) | {"verdict": each.verdict} for each in targets],
    }


def text(plan: Plan, figures: Figures, targets: Sequence[Target], precisions: dict[str, str]) -> str:
    """What is printed."""
    where = machine()
    lines = [
        f"{where['cores']} cores of {where['processor']}, Python {where['python']}, "
        + ", ".join(f"{name} {number}" for name, number in versions(plan).items()),
        f"{plan.rounds} rounds, {plan.seconds:g} s a load, bundle {plan.bundle.name}, precision by /model/info: "
        + (", ".join(f"{name}: {precision}" for name, precision in precisions.items()) or "nobody asked"),
        *(f"left out: {each}" for each in plan.left_out),
    ]
    held_to = {each.name: each.precision for each in plan.contenders} | {
        each.name: each.precision for each in plan.floors
    }
    tables = (load_table(figures, held_to), start_table(figures), target_table(targets))
    return "\n\n".join("\n".join(part) for part in (lines, *tables))


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
