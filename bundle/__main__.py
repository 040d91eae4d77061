"""`python -m bundle make` and `python -m bundle quantise`: make a bundle. Needs the extra `bundle`.

Exits with 2 on wrong usage, with 3 when published weights cannot be fetched (no network), with 1 and one line on
standard error when anything else is in the way.
"""

import argparse
import math
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from bundle.errors import BundleError, DownloadFailed
from bundle.record import UNTRAINED, Record

if TYPE_CHECKING:
    from bundle.maker.quantising import Plan  # which needs the extra, as does the next
    from bundle.reading import Bundle

_INT8 = {
    "int8_calibration": "calibration",
    "int8_holdout": "holdout",
    "int8_agreement": "min_agreement",
    "int8_margin": "margin",
    "int8_ranges": "ranges",
}
"""Options of int8 by the field of the plan that they set."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        print(_summary(_quantise(options) if options.command == "quantise" else _make(options)))
    except KeyboardInterrupt:
        return _fail("interrupted", status=130)
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is not installed (it comes with the extra 'bundle' of this project)")
    except DownloadFailed as error:
        return _fail(f"{error} (--weights also takes a file or {UNTRAINED!r})", status=3)
    except (BundleError, OSError) as error:
        return _fail(str(error))
    return 0


def _make(options: argparse.Namespace) -> "Bundle":
    from bundle.maker.making import Order, make  # torch takes seconds, which usage and --help need not

    given = vars(options)
    wanted = options.benchmark_only or any(given[name] is not None for name in _INT8)
    ordered = {name: value for name, value in given.items() if name in Order.__dataclass_fields__}
    return make(Order(**ordered, quantisation=_plan(options) if wanted else None))


def _quantise(options: argparse.Namespace) -> "Bundle":
    from bundle.maker.making import quantise

    return quantise(options.bundle, _plan(options))


def _plan(options: argparse.Namespace) -> "Plan":
    from bundle.maker.quantising import Plan

    given = {field: getattr(options, name) for name, field in _INT8.items()}
    stated = {field: value for field, value in given.items() if value is not None}
    return Plan(benchmark_only=options.benchmark_only, **stated)


def _summary(bundle: "Bundle") -> str:
    record = bundle.record
    preprocessing = record.preprocessing
    megabytes = sum(file.size_bytes for file in record.files.values()) / 1e6
    line = (
        f"{bundle.directory}: {record.architecture.name}, version {record.version}, {record.classes} classes, "
        f"resize {preprocessing.resize}, crop {preprocessing.crop}, {megabytes:.1f} MB, "
        f"graphs: {', '.join(record.graphs) or 'none'}"
    )
    return "\n".join([line, *_remarks(record)])


def _remarks(record: Record) -> Iterator[str]:
    int8 = record.graphs.get("int8")
    if int8 is not None and int8.agreement is not None:
        same = int8.agreement
        yield (
            f"int8 agrees with float32 on the best class of {same.top1:.2%} of {same.counted} counted photos "
            f"({same.photos} held out), on {same.top5:.1%} of the best five; cosine of the logits {same.cosine:.5f}"
        )
    if int8 is not None and int8.benchmark_only:
        yield "The int8 graph is for BENCHMARKS ONLY: its answers were not held to float32's."
    if not record.trained:
        yield "These weights are UNTRAINED: what they answer means nothing."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bundle", description="Make a model bundle.")
    commands = parser.add_subparsers(dest="command", required=True)
    _describe_make(commands.add_parser("make", help="write a bundle from published weights, a state dict or a seed"))
    quantise = commands.add_parser("quantise", help="add an int8 graph to a bundle")
    quantise.add_argument("bundle", type=Path, help="directory of the bundle")
    _describe_int8(quantise)
    return parser


def _describe_make(make: argparse.ArgumentParser) -> None:
    make.add_argument("--arch", dest="architecture", default="resnet50", help="torchvision's name (%(default)s)")
    make.add_argument("--out", type=Path, required=True, help="directory of the bundle")
    make.add_argument(
        "--weights",
        default="DEFAULT",
        help=f"state dict (.safetensors, .pth, .pt), {UNTRAINED!r}, or the name of published ones (torchvision's best)",
    )
    make.add_argument("--labels", type=Path, help="text file, one label a line (the 1000 of ImageNet)")
    make.add_argument("--seed", type=_count, default=0, help=f"of {UNTRAINED} weights (%(default)s)")
    make.add_argument("--resize", type=_count, help="shorter edge in pixels (that of the published weights)")
    make.add_argument("--crop", type=_count, help="edge of the network's input in pixels (ditto)")
    make.add_argument("--licence", help="of the weights (that of the published ones, else 'unknown')")
    make.add_argument("--origin", help="where the weights come from (address or file name)")
    make.add_argument(
        "--no-graph", dest="graph", action="store_false", help="leave out the graph, which needs torch then"
    )
    make.add_argument("--force", action="store_true", help="replace the bundle that is there")
    _describe_int8(make)


def _describe_int8(parser: argparse.ArgumentParser) -> None:
    int8 = parser.add_argument_group("int8", "A graph of 8 bits, from photos and only if it agrees with float32.")
    int8.add_argument(
        "--int8-calibration", type=Path, help="folder of photos, such as the served ones, to calibrate with"
    )
    int8.add_argument("--int8-holdout", type=Path, help="folder of other photos to judge by (half of the first)")
    int8.add_argument("--int8-agreement", type=_share, help="least share with float32's best class (0.99)")
    int8.add_argument(
        "--int8-margin", type=_share, help="lead of float32's best class above which a photo counts (0.05)"
    )
    int8.add_argument("--int8-ranges", choices=["histogram", "minmax", "mean"], help="of activations (histogram)")
    int8.add_argument("--benchmark-only", action="store_true", help="neither judge nor need photos; servers refuse it")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 63 bits, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return share


def _fail(message: str, status: int = 1) -> int:
    print(f"python -m bundle: {message}", file=sys.stderr)
    return status


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    """End by an exception, so that what is half-written is removed."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
