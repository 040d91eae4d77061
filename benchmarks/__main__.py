"""How fast we are beside the plain way, the floor, the strong plain way and peers: `python -m benchmarks`.

One photo in, the top five out. All contenders get the same bytes from the same load generator, in turn. Exit code: 0
when every target that was measured held, 1 when one was missed or the benchmark could not run.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import uvloop

from benchmarks import batcher
from benchmarks.decode import measure
from benchmarks.figures import Figures
from benchmarks.photos import LARGE, jpeg
from benchmarks.plan import Plan, plan
from benchmarks.plot import plot
from benchmarks.race import Race
from benchmarks.report import document, text
from benchmarks.starting import measure_starts
from benchmarks.targets import MAIN, MISSED, targets
from scripts.child import running
from scripts.errors import RunError

ROUNDS = 3
SECONDS = 10.0
DECODE_ROUNDS = 9
PRECISION = "bfloat16"
"""What is measured once is measured in this one, the default."""


async def benchmark(asked: argparse.Namespace, directory: Path) -> tuple[Plan, Figures, dict[str, str]]:
    """Everything that was asked for, with the precisions that servers said they had."""
    bundle = asked.bundle or await _untrained(directory / "resnet50-untrained")
    pythons = dict(each.split("=", 1) for each in asked.python)
    chosen = plan(bundle.resolve(), asked.rounds, asked.seconds, asked.only, asked.loads, pythons, asked.variants)
    for line in chosen.left_out:
        print(f"left out: {line}", file=sys.stderr, flush=True)
    race = Race(chosen, directory)
    ours = any(each.name == MAIN for each in chosen.contenders)
    startings = await measure_starts(chosen.bundle, PRECISION, chosen.rounds, directory) if ours else []
    await race.run()
    large = any(task.photos == LARGE for task in chosen.tasks)
    decode = measure(jpeg(LARGE.width, LARGE.height, 0), DECODE_ROUNDS) if large else None
    batcher_ms = await asyncio.to_thread(_batcher_ms) if ours else None
    return chosen, Figures(race.cells, race.starts, startings, decode, batcher_ms), race.precisions


def _batcher_ms() -> float:
    through_batcher, _ = uvloop.run(batcher.measure())
    return statistics.median(through_batcher)


async def _untrained(directory: Path) -> Path:
    order = ("--arch", "resnet50", "--weights", "untrained", "--benchmark-only", "--out", str(directory))
    async with running("maker of the bundle", (sys.executable, "-m", "bundle", "make", *order)) as child:
        if code := await child.finished():
            raise RunError(f"no bundle was made (exit code {code}); the reason stands above")
    return directory


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Throughput, latency, cost, memory.")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="whose model (made: an untrained ResNet50)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each contender (default {ROUNDS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of each load (default {SECONDS:g})")
    parser.add_argument("--only", type=_words, default=(), metavar="A,B", help="contenders, by parts of their names")
    parser.add_argument("--loads", type=_words, default=(), metavar="A,B", help="loads, by parts of their names")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="a peer's interpreter")
    parser.add_argument(
        "--with", dest="variants", action="append", default=[], metavar="NAME=VALUE", help="us once more, set so"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every figure there, too")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw the main figures there (SVG)")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error(f"--rounds: expected at least 1, got {options.rounds}")
    if not options.seconds > 0:
        parser.error(f"--seconds: expected more than 0, got {options.seconds:g}")
    for flag, given, form in (("--python", options.python, "NAME=PATH"), ("--with", options.variants, "NAME=VALUE")):
        if wrong := [each for each in given if "=" not in each]:
            parser.error(f"{flag}: expected {form}, got {wrong[0]!r}")
    return options


def _words(given: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in given.split(",") if word.strip())


def _kept(directory: Path) -> str:
    """Where the logs are, if anything had begun."""
    if any(directory.iterdir()):
        return f" (logs: {directory})"
    directory.rmdir()
    return ""


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    options = _options(argv)
    directory = Path(mkdtemp(prefix="benchmark-"))
    try:
        chosen, figures, precisions = asyncio.run(benchmark(options, directory))
    except RunError as error:
        print(f"error: {error}{_kept(directory)}", file=sys.stderr)
        return 1
    rmtree(directory)
    judged = targets(figures)
    print(text(chosen, figures, judged, precisions))
    if options.json:
        options.json.write_text(json.dumps(document(chosen, figures, judged, precisions), indent=2) + "\n")
    if options.plot:
        options.plot.write_text(plot(figures))
    return int(any(each.verdict.startswith(MISSED) for each in judged))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
