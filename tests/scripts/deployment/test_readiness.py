"""Waiting for an object whose controller the test plays."""

from http import HTTPStatus

import pytest

from scripts.deployment.cluster import Cluster
from scripts.deployment.readiness import wait_ready
from scripts.errors import RunError
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer
from tests.scripts.deployment.clusters import ready, remove
from tests.scripts.deployment.fields import Document

SERVICE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "cats", "namespace": NAMESPACE},
    "spec": {"predictor": {}},
}


def wait(server: ApiServer, *statuses: Document, timeout_seconds: float = 20) -> list[Document]:
    applied = server.state.put(SERVICE)
    server.state.coming["cats"] = list(statuses)
    return wait_ready(Cluster.connect(server.kubeconfig), [applied], timeout_seconds, poll_seconds=0.01)


def conditions(**states: str) -> Document:
    return {"conditions": [{"type": kind, "status": status} for kind, status in states.items()]}


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.partition(" s  ")[2] for line in capsys.readouterr().out.splitlines()]


def test_every_change_of_a_condition_is_one_line(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"type": "PredictorReady", "status": "Unknown", "reason": "Deploying", "message": "Waiting\nfor pods"}
    (found,) = wait(
        server,
        {},
        {"conditions": [waiting]},
        {"conditions": [waiting]},
        conditions(PredictorReady="True", Ready="Unknown"),
        conditions(PredictorReady="True", Ready="True"),
    )
    assert found["metadata"]["name"] == "cats"
    assert told(capsys) == [
        "InferenceService cats: PredictorReady Unknown (Deploying: Waiting for pods)",
        "InferenceService cats: PredictorReady True",
        "InferenceService cats: Ready Unknown",
        "InferenceService cats: Ready True",
    ]


def test_a_status_from_before_the_change_does_not_count(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    stale = ready(SERVICE, "http://old") | {"observedGeneration": 0}
    (found,) = wait(server, stale, stale, ready(SERVICE, "http://new"))
    assert found["status"]["url"] == "http://new"


def test_a_revision_that_is_still_to_come_is_awaited(server: ApiServer) -> None:
    coming = ready(SERVICE, "http://old")
    coming["components"] = {"predictor": {"latestCreatedRevision": "r-2", "latestReadyRevision": "r-1"}}
    (found,) = wait(server, coming, ready(SERVICE, "http://new"))
    assert found["status"]["url"] == "http://new"
    with pytest.raises(RunError, match=r"its newest revision or its traffic is not there$"):
        wait(server, *[coming] * 99, timeout_seconds=0.05)


def test_the_failure_of_the_model_is_told(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    failure = {"reason": "ModelLoadFailed", "message": "no such bucket"}
    status = conditions(Ready="False") | {"modelStatus": {"lastFailureInfo": failure, "transitionStatus": "InProgress"}}
    with pytest.raises(RunError) as caught:
        wait(server, *[status] * 99, timeout_seconds=0.05)
    why = "the model failed (ModelLoadFailed: no such bucket)"
    assert str(caught.value) == f"InferenceService cats: not ready after 0.05 s: Ready False; {why}"
    assert f"InferenceService cats: {why}" in told(capsys)


def test_a_specification_that_can_never_be_ready_is_not_waited_for(server: ApiServer) -> None:
    failure = {"reason": "RuntimeNotRecognized", "message": "no such runtime"}
    status = conditions(Ready="False") | {
        "modelStatus": {"lastFailureInfo": failure, "transitionStatus": "InvalidSpec"}
    }
    with pytest.raises(RunError, match=r"^InferenceService cats: never ready: Ready False; the model failed"):
        wait(server, *[status] * 99)


def test_a_controller_that_says_nothing_is_named(server: ApiServer) -> None:
    with pytest.raises(RunError, match="no conditions yet"):
        wait(server, timeout_seconds=0.03)


def test_an_object_that_vanishes_ends_the_wait(server: ApiServer) -> None:
    applied = server.state.put(SERVICE)
    remove(server.state, "inferenceservices", "cats")
    with pytest.raises(RunError, match=r"^InferenceService cats: expected it to become ready, found it deleted$"):
        wait_ready(Cluster.connect(server.kubeconfig), [applied], 20, poll_seconds=0.01)


def test_a_server_without_an_answer_is_asked_again(server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.state.refusals["GET inferenceservices/cats"] = (HTTPStatus.SERVICE_UNAVAILABLE, "starting")
    with pytest.raises(RunError, match=r"not ready after"):
        wait(server, ready(SERVICE, "http://new"), timeout_seconds=0.05)
    line = "InferenceService cats: the API server did not answer, asking again: 503 starting"
    assert told(capsys).count(line) == 1
    server.state.refusals.clear()
    assert wait(server, ready(SERVICE, "http://new"))
