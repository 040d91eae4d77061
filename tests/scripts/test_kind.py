"""The cluster of one machine, with stand-ins for docker, kind and kubectl that write down what they are asked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.constraints import ROOT
from scripts.kind import CHECKSUMS, SOURCES
from tests.scripts.deployment.ingress import ingress

UP = ("up", "--trust-first-download")

TOOL = """#!{python}
import json, pathlib, sys
here = pathlib.Path({directory!r})
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
asked = [name, *arguments]
with (here / "asked.jsonl").open("a") as file:
    file.write(json.dumps([asked, sys.stdin.read()]) + "\\n")
failing = here / "failing"
if failing.exists() and failing.read_text().splitlines()[:1] and failing.read_text().splitlines()[0] in " ".join(asked):
    failing.write_text("\\n".join(failing.read_text().splitlines()[1:]))
    sys.exit("the webhook does not answer")
if "clusters" in arguments:
    print((here / "clusters").read_text())
if "configmap/inferenceservice-config" in arguments and "get" in arguments:
    print(json.dumps({{"data": {{"ingress": json.dumps({{"ingressDomain": "example.com"}})}}}}))
"""


def tools(directory: Path, *names: str) -> None:
    for name in names:
        path = directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(TOOL.format(python=sys.executable, directory=str(directory)))
        path.chmod(0o755)


def prepared(directory: Path, clusters: str = "", failing: str = "") -> None:
    tools(directory, "docker", "kind", "kubectl")
    (directory / "clusters").write_text(clusters)
    (directory / "failing").write_text(failing)
    (directory / "checksums.txt").write_text("# none\n")


def kind(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    with ingress((200, "kind: List\n")) as front:
        return subprocess.run(
            [sys.executable, "-m", "tests.scripts.fake_kind", front.address, directory, *arguments],
            cwd=ROOT,
            env=os.environ | {"PATH": str(directory / "bin")},
            capture_output=True,
            text=True,
        )


def asked(directory: Path) -> list[tuple[list[str], str]]:
    return [tuple(json.loads(line)) for line in (directory / "asked.jsonl").read_text().splitlines()]


def patch_of(directory: Path, resource: str) -> Any:
    (command,) = [command for command, _ in asked(directory) if "patch" in command and resource in command]
    return json.loads(command[-1])


def test_everything_is_installed_in_order_and_awaited(tmp_path: Path) -> None:
    prepared(tmp_path)
    done = kind(tmp_path, *UP)
    assert (done.returncode, done.stderr) == (0, "")
    commands = [command for command, _ in asked(tmp_path)]
    applied = [Path(command[-1]).name for command in commands if "apply" in command and command[-1] != "-"]
    assert applied == [source.name for source in SOURCES]
    awaited = [command[command.index("--namespace") + 1] for command in commands if "wait" in command]
    assert awaited == ["cert-manager", "knative-serving", "kourier-system", "kserve"]
    assert {command[2] for command in commands if command[0] == "kubectl"} == {"kind-image-classifier"}
    (made,) = [content for command, content in asked(tmp_path) if command[:3] == ["kind", "create", "cluster"]]
    assert json.loads(made)["kind"] == "Cluster"
    assert "make k8s-deploy CONTEXT=kind-image-classifier" in done.stdout


def test_kserve_and_knative_are_told_of_kourier(tmp_path: Path) -> None:
    prepared(tmp_path)
    assert kind(tmp_path, *UP).returncode == 0
    ingress_settings = json.loads(patch_of(tmp_path, "configmap/inferenceservice-config")["data"]["ingress"])
    assert ingress_settings == {"ingressDomain": "example.com", "disableIstioVirtualHost": True}
    network = patch_of(tmp_path, "configmap/config-network")
    assert network == {"data": {"ingress-class": "kourier.ingress.networking.knative.dev"}}


def test_a_cluster_that_is_there_is_gone_on_with(tmp_path: Path) -> None:
    prepared(tmp_path, clusters="other\nimage-classifier")
    assert kind(tmp_path, *UP).returncode == 0
    assert not [command for command, _ in asked(tmp_path) if "create" in command]


def test_a_webhook_that_is_just_starting_is_tried_again(tmp_path: Path) -> None:
    prepared(tmp_path, failing="kserve-cluster-resources\nkserve-cluster-resources")
    done = kind(tmp_path, *UP)
    assert done.returncode == 0
    assert done.stdout.count("not yet: ") == 2


def test_a_command_that_fails_is_one_line_with_what_it_said(tmp_path: Path) -> None:
    prepared(tmp_path, failing="kind create")
    done = kind(tmp_path, *UP)
    assert done.returncode == 1
    assert done.stderr == (
        "error: kind create cluster --name: expected success, it said: the webhook does not answer\n"
    )


def test_missing_tools_are_a_line_each(tmp_path: Path) -> None:
    prepared(tmp_path)
    for name in ("docker", "kind"):
        (tmp_path / "bin" / name).unlink()
    done = kind(tmp_path, *UP)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: docker: expected it on the PATH, found none",
        "error: kind: expected it on the PATH, found none",
    ]


def test_the_cluster_can_be_removed(tmp_path: Path) -> None:
    prepared(tmp_path)
    assert kind(tmp_path, "down").returncode == 0
    assert [command for command, _ in asked(tmp_path)] == [["kind", "delete", "cluster", "--name", "image-classifier"]]


def test_no_checksum_is_made_up() -> None:
    """A line appears when a person has trusted a download; it is then of a file that is installed."""
    lines = [line for line in CHECKSUMS.read_text().splitlines() if not line.startswith("#")]
    assert {line.split()[1] for line in lines} <= {source.name for source in SOURCES}


def test_files_that_are_not_listed_are_refused_before_anything_runs(tmp_path: Path) -> None:
    prepared(tmp_path)
    done = kind(tmp_path, "up")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == len(SOURCES)
    assert not (tmp_path / "asked.jsonl").exists()
