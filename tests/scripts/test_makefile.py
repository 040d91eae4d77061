"""The Makefile as a person or CI uses it; nothing is installed here."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.constraints import ROOT

TARGETS = ("install", "run", "test", "test-fast", "lint", "format", "format-check", "check", "ci", "bundle")


def make(*arguments: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=directory, env=environment, capture_output=True, text=True)


def test_make_alone_lists_every_target() -> None:
    listed = {line.split()[0] for line in make().stdout.splitlines()}
    assert listed >= set(TARGETS)


def test_installing_verifies_hashes() -> None:
    commands = make("--dry-run", "--always-make", "install", "TORCH_BACKEND=").stdout
    assert "pip install --quiet --disable-pip-version-check --no-deps --require-hashes" in commands
    assert "--constraints constraints.txt" in commands
    assert "--build-constraints constraints.txt --require-build-hashes" in commands
    assert "--torch-backend" not in commands


def test_the_build_of_torch_can_be_chosen() -> None:
    commands = make("--dry-run", "--always-make", "install", "TORCH_BACKEND=cpu").stdout
    assert "--torch-backend cpu" in commands


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    refused = make("install", "PYTHON=false", directory=tmp_path)
    assert refused.returncode != 0
    assert "error: Python 3.11 or newer is needed, 'false' is not; choose one with PYTHON=" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["bundle"], "-m bundle make --arch 'resnet50' --out 'bundles/resnet50'"),
        (["bundle", "ARCH=vit_b_16"], "-m bundle make --arch 'vit_b_16' --out 'bundles/vit_b_16'"),
        (["bundle", "OUT=b", "WEIGHTS=untrained", "LABELS=l"], "--out 'b' --weights 'untrained' --labels 'l'"),
    ],
)
def test_a_bundle_is_made_as_asked(arguments: list[str], command: str) -> None:
    made = " ".join(make("--dry-run", *arguments).stdout.replace("\\\n", " ").split())
    assert command in made
