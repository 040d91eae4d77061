"""The script that checks a cluster, as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.constraints import ROOT
from scripts.setup import main
from tests.scripts.deployment.api_server import ApiServer
from tests.scripts.deployment.clusters import (
    OVERLAYS,
    knative,
    pinned,
    quota,
    remove,
)


def run(server: ApiServer, *arguments: str) -> int:
    return main(["--kubeconfig", str(server.kubeconfig), *arguments])


def test_all_that_is_missing_is_told_at_once(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = pinned(tmp_path, "knative")
    assert run(server, "--overlay", str(chosen)) == 0
    output, said = capsys.readouterr()
    assert said == ""
    assert f"ok: kubernetes: 1.34.0 at {server.address}\n" in output
    assert "ok: kserve: 0.20.0\n" in output
    assert "ok: knative: 1.21.1\n" in output

    remove(server.state, "deployments", "kserve-controller-manager")
    server.state.put(knative("1.10.0"))
    quota(cpu="2")(server.state)
    assert run(server, "--overlay", str(chosen)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["kserve", "knative", "quota"]


def test_the_placeholders_of_images_are_refused(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, "--overlay", str(OVERLAYS / "knative")) == 1
    wanted = "expected the digest of your registry.example.com/image-classifier"
    assert capsys.readouterr().err.splitlines() == [
        f"error: images: {wanted}/predictor in manifests/components/images, found zeros",
        f"error: images: {wanted}/transformer in manifests/components/images, found zeros",
    ]


def test_a_server_that_is_away_is_one_line(server: ApiServer) -> None:
    done = process(server, "--context", "elsewhere")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: cluster: expected an answer from http://127.0.0.1:9, found none: ")
    assert line.endswith("Connection refused")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--context", "nowhere"), "kubeconfig: expected a cluster and its credentials in "),
        (("--overlay", "docs"), "overlay: expected a directory with kustomization.yaml, got docs"),
        (
            ("--overlay", str(OVERLAYS / "baked"), "--namespace", "photos"),
            f"namespace: expected image-classifier, which {OVERLAYS / 'baked'} names, got photos",
        ),
    ],
)
def test_a_wrong_choice_is_one_line(
    server: ApiServer, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    assert run(server, *arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {expected}")


def test_no_kubeconfig_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kubeconfig", str(tmp_path / "none")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: kubeconfig: expected a cluster and its credentials in {tmp_path / 'none'}, found: ")


def test_a_namespace_by_flag_is_where_the_objects_go(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(server, "--namespace", "other") == 1
    assert (
        "error: namespace: expected other to exist, found none: kubectl create namespace other\n"
        in capsys.readouterr().err
    )


def process(server: ApiServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.setup", *arguments],
        cwd=ROOT,
        env=os.environ | {"KUBECONFIG": str(server.kubeconfig)},
        capture_output=True,
        text=True,
    )


def test_the_script_runs_as_a_process_with_kubeconfig_from_the_environment(server: ApiServer) -> None:
    done = process(server)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2
    assert "ok: namespace: photos, Pod Security level privileged\n" in done.stdout
