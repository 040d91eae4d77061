"""Which bundle `make run` serves: the one that was named, else the published ResNet50, else loudly an untrained one."""

import sys
from pathlib import Path

from scripts.child import Command, running
from scripts.errors import RunError

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = "resnet50"
MAKE_BUNDLE: Command = (sys.executable, "-m", "bundle", "make")

NO_NETWORK = 3
"""Exit code of `python -m bundle make` when the weights could not be downloaded; 1 is any other failure."""

WITHOUT_NETWORK = """
********************************************************************************
*  UNTRAINED MODEL: what it answers means nothing.                             *
*  The published weights could not be downloaded; the reason stands above.     *
*  For real answers run this again with a network, or give a bundle:           *
*      make run MODEL_DIR=path/to/bundle                                       *
********************************************************************************
"""


async def choose(model_dir: Path | None, bundles: Path = ROOT / "bundles", maker: Command = MAKE_BUNDLE) -> Path:
    """The directory of the bundle to serve, made when it is not there.

    Raises RunError when `model_dir` holds no bundle, or when making one fails for anything but the lack of a network.
    """
    if model_dir is not None:
        return _present(model_dir)
    published = bundles / ARCHITECTURE
    if _holds_bundle(published):
        return published
    code = await _make(maker, published)
    if code == NO_NETWORK:
        return await _untrained(bundles / f"{ARCHITECTURE}-untrained", maker)
    return _made(published, code)


async def _untrained(directory: Path, maker: Command) -> Path:
    print(WITHOUT_NETWORK, file=sys.stderr, flush=True)
    if _holds_bundle(directory):
        return directory
    return _made(directory, await _make(maker, directory, "--weights", "untrained"))


async def _make(maker: Command, directory: Path, *options: str) -> int:
    print(f"making {directory}", flush=True)
    command = (*maker, "--arch", ARCHITECTURE, "--out", str(directory), *options)
    async with running("maker of the bundle", command) as child:
        return await child.finished()


def _made(directory: Path, code: int) -> Path:
    if code != 0:
        raise RunError(f"no bundle was made in {directory} (exit code {code}); the reason stands above")
    return _present(directory)


def _present(directory: Path) -> Path:
    if not _holds_bundle(directory):
        raise RunError(f"MODEL_DIR: expected a bundle (a directory with model.json), got {directory}")
    return directory.resolve()


def _holds_bundle(directory: Path) -> bool:
    return (directory / "model.json").is_file()
