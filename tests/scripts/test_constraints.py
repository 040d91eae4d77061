"""What `constraints.txt` and `constraints-lint.txt` must be, and that the installation holds to them."""

import re
import subprocess
import sys
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import distributions, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts.constraints import CONSTRAINTS, LINT_CONSTRAINTS, ROOT, without_torch

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = canonicalize_name(PROJECT["project"]["name"])
FILES = (CONSTRAINTS, LINT_CONSTRAINTS)
UV = str(Path(sys.executable).with_name("uv"))

OF_TORCH = re.compile(r"torch|torchvision|triton|cuda-.*|nvidia-.*")
"""Pinned in pyproject.toml or by torch itself, so that another build of torch can be chosen."""


def pinned(file: Path) -> list[Requirement]:
    lines = file.read_text().splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line[0].isalnum()]


def pins_here(file: Path = CONSTRAINTS) -> dict[str, str]:
    """Package to version, on this Python and machine."""
    here = [pin for pin in pinned(file) if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def asked_for() -> list[Requirement]:
    """Every dependency in pyproject.toml, what builds the project included; not the linters of manifests."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    lists = [PROJECT["project"]["dependencies"], PROJECT["build-system"]["requires"], *extras]
    lists.append(PROJECT["dependency-groups"]["build"])
    found = [Requirement(text) for texts in lists for text in texts]
    return [requirement for requirement in found if canonicalize_name(requirement.name) != NAME]


def installed(name: str, extras: frozenset[str]) -> set[str]:
    """Every package that `name` with `extras` needs, as the installed packages say."""
    found: set[str] = set()
    waiting = [(name, extra) for extra in (*extras, "")]
    seen = set(waiting)
    while waiting:
        package, extra = waiting.pop()
        for requirement in map(Requirement, requires(package) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(requirement.name)
                found.add(needed)
                new = {(needed, wanted) for wanted in (*requirement.extras, "")} - seen
                seen |= new
                waiting.extend(new)
    return found - {NAME}


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_every_dependency_is_pinned_within_what_pyproject_allows(requirement: Requirement) -> None:
    if OF_TORCH.fullmatch(requirement.name):
        assert re.fullmatch(r"==[\d.]+", str(requirement.specifier))
    else:
        assert requirement.specifier.contains(pins_here()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("linter", PROJECT["dependency-groups"]["lint-manifests"])
def test_every_linter_of_manifests_is_pinned_in_a_file_of_its_own(linter: str) -> None:
    assert linter in [str(pin) for pin in pinned(LINT_CONSTRAINTS)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_pin_is_one_version_with_hashes(file: Path) -> None:
    for block in re.split(r"\n(?=\w)", file.read_text().strip())[1:]:
        pin, *hashes = block.replace(" \\\n", "\n").splitlines()
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; .+)?", pin)
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", line) for line in hashes)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_torch_is_not_pinned_here_and_no_index_is_named(file: Path) -> None:
    assert [pin.name for pin in pinned(file) if OF_TORCH.fullmatch(pin.name)] == []
    assert "://" not in file.read_text()
    assert "index" not in file.read_text()


def test_this_environment_is_the_pinned_one() -> None:
    needed = {name for name in installed(NAME, frozenset({"dev"})) if not OF_TORCH.fullmatch(name)}
    assert {name: str(Version(version(name))) for name in needed} == {name: pins_here().get(name) for name in needed}


def test_the_environment_of_linters_is_the_pinned_one(lint_environment: Path) -> None:
    there = distributions(path=[str(path) for path in lint_environment.glob("lib/python*/site-packages")])
    assert {canonicalize_name(package.name): package.version for package in there} == pins_here(LINT_CONSTRAINTS)


def test_what_torch_alone_needs_is_left_out_with_its_hashes() -> None:
    compiled = (
        "torch==2.15.0 \\\n    --hash=sha256:aa\ntorch-stub==1 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
        "nvidia-cublas==13 ; sys_platform == 'linux' \\\n    --hash=sha256:dd\ncuda-toolkit==13\ntriton==3\n"
    )
    assert without_torch(compiled) == (
        "# Written by `make constraints`.\ntorch-stub==1 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )


def wheel(directory: Path) -> Path:
    """A package `tiny`, version 1, made here."""
    path = directory / "tiny-1-py3-none-any.whl"
    files = {
        "tiny.py": "",
        "tiny-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n",
        "tiny-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: here\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        name: urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode() for name, text in files.items()
    }
    record = "".join(f"{name},sha256={digests[name]},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "tiny-1.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def install(directory: Path, digest: str) -> subprocess.CompletedProcess[str]:
    """Install `tiny` as `make install` installs: with constraints alone to say which hash is right."""
    constraints = directory / "constraints.txt"
    constraints.write_text(f"tiny==1 --hash=sha256:{digest}\n")
    return subprocess.run(
        [
            *(UV, "pip", "install", "--no-index", "--no-cache", "--python", sys.executable),
            *("--find-links", str(directory), "--target", str(directory / "installed")),
            *("--constraints", str(constraints), "tiny"),
        ],
        capture_output=True,
        text=True,
    )


def test_the_installer_takes_a_package_with_the_hash_of_the_constraints(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    assert install(tmp_path, sha256(made.read_bytes()).hexdigest()).returncode == 0
    assert (tmp_path / "installed" / "tiny.py").exists()


def test_the_installer_refuses_a_package_with_another_hash(tmp_path: Path) -> None:
    wheel(tmp_path)
    refused = install(tmp_path, "0" * 64)
    assert refused.returncode != 0
    assert "Hash mismatch for `tiny==1`" in refused.stderr
    assert not (tmp_path / "installed" / "tiny.py").exists()
