"""Write `constraints.txt` and `constraints-lint.txt`: a version and hashes for every package that the project and its
tools need. The linters of manifests have an environment, and so a file, of their own, since they hold old versions.

torch and torchvision have their version in pyproject.toml, and torch itself says which CUDA packages it takes; these
stay out, because a hash would allow one build of torch only.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
LINT_CONSTRAINTS = ROOT / "constraints-lint.txt"

HEADER = "# Written by `make constraints`.\n"

_BLOCK = re.compile(r"^\w.*\n(?: .*\n)*", re.MULTILINE)
"""A requirement and the indented lines of its hashes."""

_OF_TORCH = re.compile(r"(?:torch|torchvision|triton|cuda-\S+|nvidia-\S+)==")

_COMPILE = (
    str(Path(sys.executable).with_name("uv")),
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
)
"""For every Python from 3.11 on that pyproject.toml allows."""

_NEEDS = {
    CONSTRAINTS: ("--extra=dev", "--group=build", "pyproject.toml"),
    LINT_CONSTRAINTS: ("--group=lint-manifests",),
}
"""What each file has to hold."""


def without_torch(compiled: str) -> str:
    """The requirements of `compiled`, less torch, torchvision and what only torch needs."""
    return HEADER + "".join(block for block in _BLOCK.findall(compiled) if not _OF_TORCH.match(block))


def main(arguments: Sequence[str]) -> None:
    for path, needs in _NEEDS.items():
        with TemporaryDirectory() as scratch:
            compiled = Path(scratch) / path.name
            if path.exists():  # uv keeps the versions that stand in its output file
                shutil.copy(path, compiled)
            subprocess.run([*_COMPILE, *needs, f"--output-file={compiled}", *arguments], cwd=ROOT, check=True)
            path.write_text(without_torch(compiled.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
