"""Overlays rendered by the real kubectl and, where it is missing or old, by stand-ins for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.constraints import ROOT
from scripts.deployment.overlay import CLUSTER_WIDE, Overlay
from scripts.errors import RunError
from tests.scripts.deployment.clusters import NAMES, OVERLAYS, overlay

RENDER = (
    "import sys; from pathlib import Path; from scripts.deployment.overlay import Overlay\n"
    "from scripts.errors import RunError\n"
    "try: Overlay.render(Path(sys.argv[1]), 'photos')\n"
    "except RunError as error: sys.exit(f'error: {error}')"
)


@pytest.mark.parametrize("name", NAMES)
def test_what_others_refer_to_comes_before_them(name: str) -> None:
    kinds = [document["kind"] for document in overlay(name).documents]
    last = [kind for kind in kinds if kind in ("InferenceService", "InferenceGraph")]
    assert kinds[-len(last) :] == last == sorted(last, reverse=True)
    first = [kind for kind in kinds if kind in ("Namespace", "ServiceAccount", "ServingRuntime")]
    assert kinds[: len(first)] == first == sorted(first, key=["Namespace", "ServiceAccount", "ServingRuntime"].index)


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_in_the_namespace_of_the_service(name: str) -> None:
    expected = "image-classifier" if name == "baked" else "photos"
    assert overlay(name).namespace == expected
    for document in overlay(name).documents:
        found = document["metadata"].get("namespace")
        assert found == (None if document["kind"] in CLUSTER_WIDE else expected)


def test_a_directory_that_kubectl_cannot_render_is_told_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    with pytest.raises(RunError, match=rf"^overlay: expected kubectl to render {tmp_path}, it said: .*nowhere\.yaml"):
        Overlay.render(tmp_path, "photos")


def rendered_with(directory: Path, kubectl: str | None) -> str:
    """What rendering fails with where `kubectl` is all that is on the PATH."""
    if kubectl is not None:
        stand_in = directory / "kubectl"
        stand_in.write_text(f"#!{sys.executable}\n{kubectl}")
        stand_in.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", RENDER, OVERLAYS / "knative"],
        cwd=ROOT,
        env=os.environ | {"PATH": str(directory)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    return done.stderr


def test_a_machine_without_kubectl_is_told_which_it_needs(tmp_path: Path) -> None:
    assert rendered_with(tmp_path, None) == "error: kubectl: expected 1.21 or newer on the PATH, found none\n"


def test_a_kubectl_that_knows_no_components_is_told(tmp_path: Path) -> None:
    old = (
        "import sys, json\n"
        'version = {"clientVersion": {"gitVersion": "v1.20.15"}}\n'
        'print(json.dumps(version)) if "version" in sys.argv else sys.exit(\'unknown field "components"\')\n'
    )
    assert rendered_with(tmp_path, old) == "error: kubectl: expected 1.21 or newer, found 1.20\n"
