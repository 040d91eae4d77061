from http import HTTPStatus
from pathlib import Path

import pytest

from scripts.undeploy import main
from tests.scripts.deployment.api_server import ApiServer
from tests.scripts.deployment.clusters import overlay, pinned, remove, unserve
from tests.scripts.test_deploy import ORDER


def filled(server: ApiServer, name: str) -> None:
    """As after a deployment of the overlay."""
    for document in overlay(name).documents:
        server.state.put(document)


def undeploy(server: ApiServer, directory: Path, *arguments: str) -> int:
    chosen = ["--kubeconfig", str(server.kubeconfig), "--overlay", str(directory), "--timeout", "10", *arguments]
    return main(chosen, poll_seconds=0.01)


def test_everything_goes_in_reverse_order(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(server, "knative")
    assert undeploy(server, pinned(tmp_path, "knative")) == 0
    output, said = capsys.readouterr()
    assert said == ""
    assert server.state.changes == [change.replace("PATCH", "DELETE") for change in reversed(ORDER)]
    assert output.splitlines()[0] == "deleted    InferenceService image-classifier"
    assert server.state.names("servingruntimes") == []


def test_a_graph_goes_before_its_services(server: ApiServer, tmp_path: Path) -> None:
    filled(server, "ab")
    assert undeploy(server, pinned(tmp_path, "ab")) == 0
    assert [change.partition("/")[0] for change in server.state.changes[:3]] == [
        "DELETE inferencegraphs",
        "DELETE inferenceservices",
        "DELETE inferenceservices",
    ]


def test_what_is_not_there_is_told_and_no_failure(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(server, "knative")
    remove(server.state, "serviceaccounts", "image-classifier-predictor")
    unserve(server.state, "inferenceservices")
    assert undeploy(server, pinned(tmp_path, "knative")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "not there  InferenceService image-classifier"
    assert lines[-1] == "not there  ServiceAccount image-classifier-predictor"
    assert len([line for line in lines if line.startswith("deleted")]) == len(ORDER) - 2


def test_the_namespace_stays_unless_it_is_asked_for(server: ApiServer, tmp_path: Path) -> None:
    filled(server, "baked")
    chosen = pinned(tmp_path, "baked")
    assert undeploy(server, chosen) == 0
    assert "image-classifier" in server.state.names("namespaces")
    assert undeploy(server, chosen, "--namespace-too") == 0
    assert "image-classifier" not in server.state.names("namespaces")


def test_an_object_that_lingers_is_awaited_before_the_next_goes(server: ApiServer, tmp_path: Path) -> None:
    filled(server, "knative")
    server.state.lingering["image-classifier"] = 3
    assert undeploy(server, pinned(tmp_path, "knative")) == 0
    assert server.state.lingering == {"image-classifier": 0}
    assert server.state.names("inferenceservices") == []


def test_an_object_that_does_not_go_is_told_with_what_is_left(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(server, "knative")
    server.state.lingering["image-classifier"] = 10**9
    service = next(value for key, value in server.state.objects.items() if key.plural == "inferenceservices")
    service["metadata"]["finalizers"] = ["inferenceservice.finalizers"]
    assert undeploy(server, pinned(tmp_path, "knative"), "--timeout", "0.05") == 1
    first, left = capsys.readouterr().err.splitlines()
    assert first == (
        "error: InferenceService image-classifier: expected it to be gone, found it waiting for "
        "inferenceservice.finalizers"
    )
    assert left.startswith(
        "error: left: InferenceService image-classifier, NetworkPolicy image-classifier-transformer, "
    )
    assert server.state.changes == ["DELETE inferenceservices/image-classifier"]


def test_a_refusal_is_told_with_what_is_left(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(server, "knative")
    server.state.refusals["DELETE serviceaccounts/image-classifier-transformer"] = (HTTPStatus.FORBIDDEN, "not yours")
    assert undeploy(server, pinned(tmp_path, "knative")) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: ServiceAccount image-classifier-transformer: expected it to be gone, found 403 not yours",
        "error: left: ServiceAccount image-classifier-transformer, ServiceAccount image-classifier-predictor",
    ]
