"""What linters say against manifests, images and shell scripts: `python -m scripts.lint_manifests` prints it.

Policy linters do not look into KServe's kinds: checkov gets the pods as Deployments, beside the policies and accounts
of their overlay. The linters come from constraints-lint.txt, and none is let out to the network.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from scripts.constraints import ROOT
from scripts.deployment.overlay import Overlay
from scripts.deployment.pods import Document, deployments
from scripts.errors import RunError

LINTERS = ROOT / ".venv" / "lint"
MANIFESTS = ROOT / "manifests"

ACCEPTED: Mapping[str, str] = {
    "CKV_K8S_29": "a securityContext of the pod: Knative refuses it unless a flag is set, and every container has one "
    "(CKV_K8S_30)",
}
"""The policies of checkov that are not kept, each with the reason."""

IN_DOCKERFILES: Mapping[str, str] = {
    "DL3003": "no `cd` in a RUN: it ends with that RUN, and WORKDIR takes no wildcard for the version of Python",
}
"""The same of hadolint."""

ON_CLUSTER_RUNTIMES = ("knative", "predictor-rest")
"""The overlays that are linted a second time, with the runtimes of the cluster: between them they use both."""

NAMESPACE = "image-classifier"
"""Stands for the one that is chosen at deployment."""

Overlays = Mapping[str, Sequence[Document]]
"""Name to documents."""

_BESIDE_PODS = frozenset({"Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"})

_CHECKOV = ("checkov", "--framework=kubernetes", "--skip-download", "--compact", "--output=json")
_OFFLINE = {
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
    "HTTP_PROXY": "http://127.0.0.1:9",  # none is there: whoever reaches out all the same fails
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


class Violation(NamedTuple):
    """`where` does not keep the policy `check`."""

    where: str
    check: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.check} {self.what}"


def overlays() -> dict[str, list[Document]]:
    """The documents of every overlay, and those of ON_CLUSTER_RUNTIMES once more without runtimes of their own."""
    found = {path.name: _rendered(path) for path in sorted((MANIFESTS / "overlays").iterdir())}
    cluster = _rendered(MANIFESTS / "cluster-runtimes")
    for name in ON_CLUSTER_RUNTIMES:
        others = [document for document in found[name] if document["kind"] != "ServingRuntime"]
        found[f"{name}-on-cluster-runtimes"] = [*others, *cluster]
    return found


def violations(given: Overlays) -> list[Violation]:
    """What checkov says against each overlay's pods and what stands beside them; RunError when it leaves a pod out."""
    with TemporaryDirectory() as scratch:
        for name, documents in given.items():
            _write(Path(scratch, name), name, documents)
        results = _checkov(Path(scratch))
    _all_seen(given, results)
    failed = [_violation(check, check["check_name"]) for check in results["failed_checks"]]
    return failed + [_violation(check, "skipped by the manifest itself") for check in results["skipped_checks"]]


def unaccepted(found: Iterable[Violation]) -> list[Violation]:
    """What ACCEPTED does not excuse, and what it excuses though nothing violates it."""
    known = list(found)
    idle = sorted(set(ACCEPTED) - {violation.check for violation in known})
    stale = [Violation("ACCEPTED", check, "excuses nothing") for check in idle]
    return [violation for violation in known if violation.check not in ACCEPTED] + stale


def shell_scripts() -> list[Path]:
    """Every script of a shell in the checkout, committed or about to be."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in map(ROOT.joinpath, listed) if path.is_file() and _is_shell(path)]


def complaints(linter: str, *arguments: str | Path) -> list[str]:
    """What a linter prints of the files; RunError when it failed without a word."""
    done = _run(LINTERS / "bin" / linter, *arguments, cwd=ROOT)
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode and not lines:
        raise RunError(f"{linter} ended with exit code {done.returncode} and said nothing")
    return lines if done.returncode else []


def main() -> int:
    dockerfiles = sorted(path.name for path in ROOT.glob("Dockerfile.*"))
    found = [
        *map(str, unaccepted(violations(overlays()))),
        *complaints("hadolint", "--no-color", *(f"--ignore={rule}" for rule in IN_DOCKERFILES), *dockerfiles),
        *complaints("yamllint", "--strict", "--format=parsable", "manifests", "monitoring", "compose.yaml", ".github"),
        *complaints("shellcheck", "--format=gcc", *shell_scripts()),
    ]
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


def _rendered(directory: Path) -> list[Document]:
    return list(Overlay.render(directory, NAMESPACE).documents)


def _write(folder: Path, name: str, documents: Sequence[Document]) -> None:
    """One file for each document that checkov knows; JSON is YAML."""
    folder.mkdir()
    beside = [document for document in documents if document["kind"] in _BESIDE_PODS]
    for number, document in enumerate([*deployments(documents), *deepcopy(beside)]):
        _set_apart(document, name)
        (folder / f"{number}.yaml").write_text(json.dumps(document, indent=1))


def _set_apart(document: Document, name: str) -> None:
    """checkov reads all overlays as one cluster: no policy may seem to guard the pods of another overlay."""
    if document["kind"] == "Deployment":
        document["spec"]["template"]["metadata"]["labels"]["overlay"] = name
    if document["kind"] == "NetworkPolicy":
        document["spec"]["podSelector"].setdefault("matchLabels", {})["overlay"] = name


def _checkov(folder: Path) -> dict[str, Any]:
    """Its results for all of a folder: passed_checks, failed_checks and skipped_checks."""
    command, *options = _CHECKOV
    done = _run(LINTERS / "bin" / command, *options, "--directory", folder, cwd=folder)
    try:
        results: dict[str, Any] = json.loads(done.stdout)["results"]
        unread = results["parsing_errors"]
    except (ValueError, KeyError) as error:
        raise RunError(
            f"checkov ended with exit code {done.returncode} and no report: {done.stderr[-2000:]}"
        ) from error
    if unread:
        raise RunError(f"checkov could not read {', '.join(unread)}")
    return results


def _all_seen(given: Overlays, results: Mapping[str, Any]) -> None:
    seen = {_where(check) for check in results["passed_checks"]}
    for name, documents in given.items():
        for deployment in deployments(documents):
            if f"{name}: {deployment['metadata']['name']}" not in seen:
                raise RunError(f"checkov has not looked at {deployment['metadata']['name']} of {name}")


def _violation(check: Mapping[str, Any], what: str) -> Violation:
    return Violation(_where(check), check["check_id"], what)


def _where(check: Mapping[str, Any]) -> str:
    """Overlay and object: checkov calls it Kind.namespace.name, and adds the labels of a pod."""
    return f"{check['file_path'].split('/')[1]}: {check['resource'].split('.')[2]}"


def _is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(80)
    return path.suffix == ".sh" or re.match(rb"#!.*\b(ba|da)?sh\b", first) is not None


def _run(command: str | Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Without anything of our environment that a linter could send or be steered by."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(cwd), **_OFFLINE}
    try:
        return subprocess.run(
            [command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise RunError(f"{Path(command).name} is not installed: make lint-manifests") from error


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunError as error:
        sys.exit(f"error: {error}")
