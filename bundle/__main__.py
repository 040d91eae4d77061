"""`python -m bundle make`: make a bundle. Needs the extra `bundle`.

Exits with 2 on wrong usage, with 3 when published weights cannot be fetched (no network), with 1 and one line on
standard error when anything else is in the way.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from bundle.errors import BundleError, DownloadFailed
from bundle.record import UNTRAINED

if TYPE_CHECKING:
    from bundle.reading import Bundle  # which needs the extra


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        print(_summary(_make(options)))
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

    return make(Order(**{name: value for name, value in vars(options).items() if name != "command"}))


def _summary(bundle: "Bundle") -> str:
    record = bundle.record
    preprocessing = record.preprocessing
    megabytes = sum(file.size_bytes for file in record.files.values()) / 1e6
    line = (
        f"{bundle.directory}: {record.architecture.name}, version {record.version}, {record.classes} classes, "
        f"resize {preprocessing.resize}, crop {preprocessing.crop}, {megabytes:.1f} MB"
    )
    return line if record.trained else f"{line}\nThese weights are UNTRAINED: what they answer means nothing."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bundle", description="Make a model bundle.")
    make = parser.add_subparsers(dest="command", required=True).add_parser(
        "make", help="write a bundle from published weights, a state dict or a seed"
    )
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
    make.add_argument("--force", action="store_true", help="replace the bundle that is there")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 63 bits, got {text!r}")
    return int(text)


def _fail(message: str, status: int = 1) -> int:
    print(f"python -m bundle: {message}", file=sys.stderr)
    return status


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    """End by an exception, so that what is half-written is removed."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
