"""The linters over what is right, and over what is not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.deployment.overlay import Overlay
from scripts.deployment.pods import Document
from scripts.errors import RunError
from scripts.lint_manifests import (
    ACCEPTED,
    MANIFESTS,
    NAMESPACE,
    Violation,
    complaints,
    main,
    overlays,
    shell_scripts,
    unaccepted,
    violations,
)
from tests.assets import PROJECT
from tests.scripts.test_makefile import make

Fault = Callable[[list[Document]], object]

TRANSFORMER = "image-classifier-transformer"
PREDICTOR = "image-classifier-predictor"


def knative() -> list[Document]:
    return list(Overlay.render(MANIFESTS / "overlays" / "knative", NAMESPACE).documents)


def of_kind(kind: str, documents: list[Document]) -> Document:
    return next(document for document in documents if document["kind"] == kind)


def transformer(documents: list[Document]) -> Document:
    pod: Document = of_kind("InferenceService", documents)["spec"]["transformer"]
    return pod


def container(documents: list[Document]) -> Document:
    first: Document = transformer(documents)["containers"][0]
    return first


def context(documents: list[Document]) -> Document:
    fields: Document = container(documents)["securityContext"]
    return fields


def runtime_container(documents: list[Document]) -> Document:
    first: Document = of_kind("ServingRuntime", documents)["spec"]["containers"][0]
    return first


def without(kind: str) -> Fault:
    def remove(documents: list[Document]) -> None:
        documents[:] = [document for document in documents if document["kind"] != kind]

    return remove


FAULTS: Mapping[str, tuple[Fault, str, str]] = {
    "privileged": (lambda given: context(given).update(privileged=True), TRANSFORMER, "CKV_K8S_16"),
    "root": (lambda given: context(given).update(runAsNonRoot=False, runAsUser=0), TRANSFORMER, "CKV_K8S_23"),
    "low user": (lambda given: context(given).update(runAsUser=1000), TRANSFORMER, "CKV_K8S_40"),
    "escalation": (lambda given: context(given).update(allowPrivilegeEscalation=True), TRANSFORMER, "CKV_K8S_20"),
    "writable root": (lambda given: context(given).update(readOnlyRootFilesystem=False), TRANSFORMER, "CKV_K8S_22"),
    "capability": (lambda given: context(given)["capabilities"].update(add=["SYS_ADMIN"]), TRANSFORMER, "CKV_K8S_39"),
    "capabilities kept": (lambda given: context(given).pop("capabilities"), TRANSFORMER, "CKV_K8S_37"),
    "any system call": (lambda given: context(given).pop("seccompProfile"), TRANSFORMER, "CKV_K8S_31"),
    "no limit of memory": (
        lambda given: container(given)["resources"]["limits"].pop("memory"),
        TRANSFORMER,
        "CKV_K8S_13",
    ),
    "no resources": (lambda given: container(given).pop("resources"), TRANSFORMER, "CKV_K8S_10"),
    "no liveness": (lambda given: container(given).pop("livenessProbe"), TRANSFORMER, "CKV_K8S_8"),
    "no digest": (lambda given: container(given).update(image="transformer:1.0"), TRANSFORMER, "CKV_K8S_43"),
    "token": (lambda given: transformer(given).pop("automountServiceAccountToken"), TRANSFORMER, "CKV_K8S_38"),
    "host's processes": (lambda given: transformer(given).update(hostPID=True), TRANSFORMER, "CKV_K8S_17"),
    "no policies": (without("NetworkPolicy"), TRANSFORMER, "CKV2_K8S_6"),
    "runtime": (lambda given: runtime_container(given)["securityContext"].clear(), PREDICTOR, "CKV_K8S_22"),
    "model": (
        lambda given: of_kind("InferenceService", given)["spec"]["predictor"]["model"].update(
            securityContext={"privileged": True}
        ),
        PREDICTOR,
        "CKV_K8S_16",
    ),
}
"""A fault, where it is found, and by which policy."""


@pytest.fixture(scope="module")
def found(lint_environment: Path) -> Mapping[str, list[Violation]]:
    """What checkov says of the knative overlay with each of the faults, and of it as it is."""
    given: dict[str, list[Document]] = {"none": knative()}
    for name, (fault, _, _) in FAULTS.items():
        given[name] = knative()
        fault(given[name])
    said = violations(given)
    return {name: [each for each in said if each.where.startswith(f"{name}: ")] for name in given}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is(found: Mapping[str, list[Violation]], name: str) -> None:
    _, where, check = FAULTS[name]
    assert check in {each.check for each in unaccepted(found[name]) if each.where == f"{name}: {where}"}


@pytest.mark.slow
def test_without_a_fault_nothing_is_found(found: Mapping[str, list[Violation]]) -> None:
    assert unaccepted(found["none"]) == []


@pytest.mark.slow
def test_what_is_in_the_checkout_is_clean(lint_environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "nothing found\n"


@pytest.mark.slow
def test_what_a_manifest_itself_excuses_is_not_excused(lint_environment: Path) -> None:
    documents = knative()
    account = of_kind("ServiceAccount", documents)
    account["metadata"] |= {"namespace": "default", "annotations": {"checkov.io/skip1": "CKV_K8S_21=never mind"}}
    assert ("CKV_K8S_21", "skipped") in {(each.check, each.what[:7]) for each in violations({"excused": documents})}


def test_every_overlay_is_linted_and_the_runtimes_of_the_cluster_too() -> None:
    given = overlays()
    assert set(given) >= {path.name for path in (MANIFESTS / "overlays").iterdir()}
    kinds = {name: {document["kind"] for document in documents} for name, documents in given.items()}
    for name in ("knative", "predictor-rest"):
        assert "ClusterServingRuntime" in kinds[f"{name}-on-cluster-runtimes"]
        assert "ServingRuntime" not in kinds[f"{name}-on-cluster-runtimes"]


def test_an_accepted_violation_is_not_reported_and_an_idle_entry_is() -> None:
    known = [Violation("here", check, "what") for check in ACCEPTED]
    assert unaccepted(known) == []
    assert [each.check for each in unaccepted(known[1:])] == [known[0].check]
    assert unaccepted([*known, Violation("here", "CKV_K8S_16", "privileged")]) == [
        Violation("here", "CKV_K8S_16", "privileged")
    ]


def test_every_acceptance_has_a_reason() -> None:
    assert all(len(reason.split()) > 5 for reason in ACCEPTED.values())


def test_a_linters_complaints_are_passed_on(lint_environment: Path, tmp_path: Path) -> None:
    script = tmp_path / "cd.sh"
    script.write_text("#!/bin/bash\ncd $1\n")
    assert any("SC2086" in line for line in complaints("shellcheck", "--format=gcc", script))
    script.write_text('#!/bin/bash\nset -e\ncd "$1"\n')
    assert complaints("shellcheck", "--format=gcc", script) == []


def test_a_dockerfile_without_a_version_is_complained_of(lint_environment: Path, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM python:latest\n")
    assert any("DL3007" in line for line in complaints("hadolint", file))


def test_a_key_that_is_given_twice_is_complained_of(lint_environment: Path, tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("a: 1\na: 2\n")
    assert any("key-duplicates" in line for line in complaints("yamllint", "--strict", "--format=parsable", file))


def test_a_linter_that_is_not_installed_is_named() -> None:
    with pytest.raises(RunError, match=r"^no-such-linter is not installed: make lint-manifests$"):
        complaints("no-such-linter")


def test_the_linters_are_installed_by_their_hashes_and_never_built() -> None:
    commands = make("--dry-run", "--always-make", "lint-manifests").stdout
    assert "--python .venv/lint/bin/python --require-hashes --only-binary :all: constraints-lint.txt" in commands


def test_the_script_of_ci_is_among_those_of_a_shell() -> None:
    found = shell_scripts()
    assert PROJECT / ".ci" / "run" in found
    assert not [path for path in found if path.suffix in {".py", ".yaml", ".md"}]
