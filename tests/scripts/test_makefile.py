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


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["monitoring"], "-m monitoring"),
        (["monitoring", "CHECK=1"], "-m monitoring --check"),
        (
            ["monitoring", "AVAILABILITY=0.99", "LATENCY=0.9", "LATENCY_SECONDS=0.5", "RUNBOOKS=https://runbooks"],
            "-m monitoring --availability '0.99' --latency '0.9' --latency-seconds '0.5' --runbooks 'https://runbooks'",
        ),
    ],
)
def test_rules_and_boards_are_written_as_asked(arguments: list[str], command: str) -> None:
    made = " ".join(make("--dry-run", *arguments).stdout.replace("\\\n", " ").split())
    assert made.endswith(f"python {command}")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["k8s-setup"], "-m scripts.setup"),
        (["k8s-setup", "OVERLAY=o", "CONTEXT=c"], "-m scripts.setup --overlay 'o' --context 'c'"),
        (
            ["k8s-deploy", "NAMESPACE=n", "TIMEOUT=9", "PHOTO=p.jpg", "URL=http://localhost"],
            "-m scripts.deploy --namespace 'n' --timeout '9' --photo 'p.jpg' --url 'http://localhost'",
        ),
        (
            ["k8s-deploy", "HEADER=X-API-Key: secret"],
            "-m scripts.deploy --header 'X-API-Key: secret'",
        ),
        (["k8s-undeploy", "OVERLAY=o"], "-m scripts.undeploy --overlay 'o'"),
        (
            ["canary", "STORAGE_URI=s3://b/m", "PERCENT=5"],
            "-m scripts.canary start --storage-uri 's3://b/m' --percent '5'",
        ),
        (["canary-promote", "SERVICE=cats"], "-m scripts.canary promote --name 'cats'"),
        (["canary-rollback", "NAMESPACE=n"], "-m scripts.canary rollback --namespace 'n'"),
        (["kind-up"], "-m scripts.kind up"),
        (["kind-up", "TRUST=1"], "-m scripts.kind up --trust-first-download"),
        (["kind-down"], "-m scripts.kind down"),
    ],
)
def test_a_target_for_kubernetes_passes_on_what_was_chosen(arguments: list[str], command: str) -> None:
    (made,) = [
        line for line in make("--dry-run", *arguments).stdout.replace("\\\n", " ").splitlines() if "-m scripts" in line
    ]
    assert " ".join(made.split()).removeprefix(".venv/bin/python ") == command


def test_make_lists_the_targets_for_kubernetes() -> None:
    listed = {line.split()[0] for line in make().stdout.splitlines()}
    assert listed >= {
        "k8s-setup",
        "k8s-deploy",
        "k8s-undeploy",
        "canary",
        "canary-promote",
        "canary-rollback",
        "kind-up",
    }
