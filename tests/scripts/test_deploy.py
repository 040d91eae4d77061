"""Deploying to an API server of one's own, whose ingress and controllers the tests play."""

import os
import signal
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from scripts.constraints import ROOT
from scripts.deploy import main
from scripts.draw_sample import SAMPLE
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer
from tests.scripts.deployment.clusters import OVERLAYS, object_of, pinned, ready
from tests.scripts.deployment.ingress import ingress

ORDER = [
    "PATCH serviceaccounts/image-classifier-predictor",
    "PATCH serviceaccounts/image-classifier-transformer",
    "PATCH servingruntimes/image-classifier-grpc",
    "PATCH servingruntimes/image-classifier-rest",
    "PATCH poddisruptionbudgets/image-classifier-predictor-budget",
    "PATCH poddisruptionbudgets/image-classifier-transformer-budget",
    "PATCH networkpolicies/image-classifier-default-deny",
    "PATCH networkpolicies/image-classifier-predictor",
    "PATCH networkpolicies/image-classifier-predictor-storage",
    "PATCH networkpolicies/image-classifier-transformer",
    "PATCH inferenceservices/image-classifier",
]
HOST = f"image-classifier.{NAMESPACE}.example.com"
READY = ready({"metadata": {"generation": 1}}, f"http://{HOST}")


def deploy(server: ApiServer, directory: Path, *arguments: str) -> int:
    chosen = ["--kubeconfig", str(server.kubeconfig), "--overlay", str(directory), "--timeout", "10", *arguments]
    return main(chosen, poll_seconds=0.01)


def will_be_ready(server: ApiServer, *names: str) -> None:
    """Each is ready from the first time it is looked at after it was applied."""
    for name in names:
        server.state.coming[name] = [READY | {"url": f"http://{name}.{NAMESPACE}.example.com"}] * 9


def test_an_overlay_is_applied_in_order_awaited_and_asked_for_a_photo(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    will_be_ready(server, "image-classifier")
    with ingress() as front:
        assert deploy(server, pinned(tmp_path, "knative"), "--url", front.address) == 0
    output, said = capsys.readouterr()
    assert said == ""
    assert server.state.changes == ORDER
    assert [line for line in output.splitlines() if line.startswith("created")] == [
        "created    ServiceAccount image-classifier-predictor",
        "created    ServiceAccount image-classifier-transformer",
        "created    ServingRuntime image-classifier-grpc",
        "created    ServingRuntime image-classifier-rest",
        "created    PodDisruptionBudget image-classifier-predictor-budget",
        "created    PodDisruptionBudget image-classifier-transformer-budget",
        "created    NetworkPolicy image-classifier-default-deny",
        "created    NetworkPolicy image-classifier-predictor",
        "created    NetworkPolicy image-classifier-predictor-storage",
        "created    NetworkPolicy image-classifier-transformer",
        "created    InferenceService image-classifier",
    ]
    assert f"ready      InferenceService image-classifier at http://{HOST}\n" in output
    assert f"{SAMPLE.relative_to(ROOT)} is, says image-classifier (version 1):" in output
    assert "  1  traffic light   75.00%" in output
    (asked,) = front.asked
    assert asked.line == "POST /predict"
    assert asked.headers["host"] == HOST
    assert SAMPLE.read_bytes() in asked.content


def test_a_second_time_tells_what_changed_and_what_did_not(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = pinned(tmp_path, "knative")
    with ingress() as front:
        will_be_ready(server, "image-classifier")
        assert deploy(server, chosen, "--url", front.address) == 0
        capsys.readouterr()
        object_of(server.state, "servingruntimes", "image-classifier-grpc")["spec"]["protocolVersions"] = ["v2"]
        assert deploy(server, chosen, "--url", front.address) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "changed    ServingRuntime image-classifier-grpc" in lines
    assert len([line for line in lines if line.startswith("unchanged")]) == len(ORDER) - 1
    assert not [line for line in lines if line.startswith("created")]


def test_nothing_is_applied_to_a_cluster_that_lacks_something(
    server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(server, OVERLAYS / "knative") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in lines[:2]] == [" images", " images"]
    assert lines[2:] == ["error: nothing was applied: the cluster is not ready for this overlay, as said above"]
    assert server.state.changes == []


def test_a_refusal_half_way_tells_what_is_there_and_what_is_not(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = (HTTPStatus.UNPROCESSABLE_ENTITY, "spec.ingress: Invalid value")
    server.state.refusals["PATCH networkpolicies/image-classifier-predictor"] = refusal
    assert deploy(server, pinned(tmp_path, "knative")) == 1
    first, applied, not_applied = capsys.readouterr().err.splitlines()
    assert first == (
        "error: NetworkPolicy image-classifier-predictor: expected it to be applied, found 422 spec.ingress: Invalid "
        "value"
    )
    assert applied == (
        "error: applied: ServiceAccount image-classifier-predictor, ServiceAccount image-classifier-transformer, "
        "ServingRuntime image-classifier-grpc, ServingRuntime image-classifier-rest, "
        "PodDisruptionBudget image-classifier-predictor-budget, "
        "PodDisruptionBudget image-classifier-transformer-budget, "
        "NetworkPolicy image-classifier-default-deny"
    )
    assert not_applied == (
        "error: not applied: NetworkPolicy image-classifier-predictor, "
        "NetworkPolicy image-classifier-predictor-storage, NetworkPolicy image-classifier-transformer, "
        "InferenceService image-classifier"
    )
    assert server.state.names("networkpolicies") == ["image-classifier-default-deny"]
    assert server.state.names("inferenceservices") == []


def test_a_field_that_another_hand_has_set_is_a_conflict_unless_forced(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = pinned(tmp_path, "knative")
    will_be_ready(server, "image-classifier")
    with ingress() as front:
        assert deploy(server, chosen, "--url", front.address) == 0
        service = object_of(server.state, "inferenceservices", "image-classifier")
        service["spec"]["predictor"]["minReplicas"] = 5
        key = next(key for key in server.state.objects if key.plural == "inferenceservices")
        server.state.owners[key][".spec.predictor.minReplicas"] = "kubectl-edit"
        capsys.readouterr()
        assert deploy(server, chosen, "--url", front.address) == 1
        assert 'conflict with "kubectl-edit" using v1beta1: .spec.predictor.minReplicas' in capsys.readouterr().err
        will_be_ready(server, "image-classifier")
        server.state.coming["image-classifier"] = [
            READY | {"observedGeneration": 2} for _ in server.state.coming["image-classifier"]
        ]
        assert deploy(server, chosen, "--url", front.address, "--force-conflicts") == 0
    assert object_of(server.state, "inferenceservices", "image-classifier")["spec"]["predictor"]["minReplicas"] == 3


def test_a_namespace_of_the_overlay_comes_first(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    will_be_ready(server, "image-classifier")
    with ingress() as front:
        assert deploy(server, pinned(tmp_path, "baked"), "--url", front.address) == 0
    assert server.state.changes[0] == "PATCH namespaces/image-classifier"
    assert {key.namespace for key in server.state.objects if key.plural == "inferenceservices"} == {"image-classifier"}
    assert "created    Namespace image-classifier\n" in capsys.readouterr().out


def test_a_graph_comes_last_and_every_service_is_asked(server: ApiServer, tmp_path: Path) -> None:
    will_be_ready(server, "image-classifier-a", "image-classifier-b", "image-classifier-ab")
    with ingress() as front:
        assert deploy(server, pinned(tmp_path, "ab"), "--url", front.address) == 0
    assert server.state.changes[-3:] == [
        "PATCH inferenceservices/image-classifier-a",
        "PATCH inferenceservices/image-classifier-b",
        "PATCH inferencegraphs/image-classifier-ab",
    ]
    assert [asked.headers["host"].partition(".")[0] for asked in front.asked] == [
        "image-classifier-a",
        "image-classifier-b",
    ]


def test_a_service_without_transformer_is_asked_whether_it_is_ready(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    will_be_ready(server, "image-classifier")
    with ingress() as front:
        assert deploy(server, pinned(tmp_path, "predictor-rest"), "--url", front.address) == 0
    assert [asked.line for asked in front.asked] == [
        "GET /v2/health/ready",
        "GET /v2/models/image-classifier/ready",
    ]
    assert "image-classifier is ready\n" in capsys.readouterr().out


def test_a_service_that_does_not_become_ready_is_told_with_its_reasons(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = {"type": "PredictorReady", "status": "False", "reason": "RevisionFailed", "message": "no\nroom"}
    server.state.coming["image-classifier"] = [{"conditions": [failing, {"type": "Ready", "status": "False"}]}] * 99
    assert deploy(server, pinned(tmp_path, "knative"), "--timeout", "0.05") == 1
    output, said = capsys.readouterr()
    reasons = "PredictorReady False (RevisionFailed: no room)"
    assert output.count(f" s  InferenceService image-classifier: {reasons}\n") == 1
    assert said == f"error: InferenceService image-classifier: not ready after 0.05 s: {reasons}; Ready False\n"


def test_a_photo_that_is_refused_fails_the_deployment(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    will_be_ready(server, "image-classifier")
    with ingress((401, "no key")) as front:
        code = deploy(server, pinned(tmp_path, "knative"), "--url", front.address, "--header", "X-API-Key: wrong")
    assert code == 1
    expected = f"error: smoke test: expected status 200 from {front.address}/predict, got 401: no key\n"
    assert capsys.readouterr().err == expected
    assert front.asked[0].headers["x-api-key"] == "wrong"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--photo", "no/such.jpg"), "argument --photo: expected a file, got no/such.jpg"),
        (("--url", "localhost:8080"), "argument --url: expected http:// or https://, got localhost:8080"),
        (("--header", "key"), "argument --header: expected NAME: VALUE, got 'key'"),
    ],
)
def test_a_wrong_choice_is_told_before_anything_is_asked(
    server: ApiServer, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(SystemExit):
        deploy(server, OVERLAYS / "knative", *arguments)
    assert expected in capsys.readouterr().err
    assert server.state.changes == []


def test_the_script_runs_as_a_process(server: ApiServer, tmp_path: Path) -> None:
    will_be_ready(server, "image-classifier")
    with ingress() as front:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.deploy", "--overlay", pinned(tmp_path, "knative"), "--url", front.address],
            cwd=ROOT,
            env=os.environ | {"KUBECONFIG": str(server.kubeconfig)},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "traffic light" in done.stdout


def test_an_interrupted_wait_ends_without_a_stack(server: ApiServer, tmp_path: Path) -> None:
    server.state.coming["image-classifier"] = [{"conditions": [{"type": "Ready", "status": "Unknown"}]}] * 999
    command = (sys.executable, "-m", "scripts.deploy", "--overlay", str(pinned(tmp_path, "knative")))
    process = subprocess.Popen(
        ("env", "--default-signal=INT", *command),  # what runs the tests in the background has it ignored
        cwd=ROOT,
        env=os.environ | {"KUBECONFIG": str(server.kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        while "Ready Unknown" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "error: interrupted: what was done so far stays as told above\n")
