"""Whether an overlay fits its namespace."""

from collections.abc import Callable
from http import HTTPStatus

import pytest

from scripts.deployment.checks import findings
from scripts.deployment.overlay import Overlay
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer, State
from tests.scripts.deployment.clusters import (
    forbid,
    lacking,
    overlay,
    plan,
    put,
    quota,
    remove,
)
from tests.scripts.deployment.fields import Document


def namespace(level: str) -> Document:
    labels = {"pod-security.kubernetes.io/enforce": level}
    return {"kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


PLACE_FAULTS: list[tuple[str, Callable[[State], None], list[str]]] = [
    (
        "knative",
        lambda state: remove(state, "namespaces", NAMESPACE),
        [f"namespace: expected {NAMESPACE} to exist, found none: kubectl create namespace {NAMESPACE}"],
    ),
    (
        "knative",
        lambda state: put(state, namespace("restricted")),
        [
            (
                f"namespace: expected a Pod Security level below restricted in namespace {NAMESPACE}, or a bundle in "
                "the image (overlay baked), found storageUri, whose initializer KServe gives no security context"
            )
        ],
    ),
    ("knative", lambda state: put(state, namespace("baseline")), []),
    ("knative", quota(cpu="9"), [f"quota: expected room for 9 CPU in namespace {NAMESPACE}, found 8"]),
    ("knative", quota(cpu="10"), []),
    (
        "knative",
        quota(**{"requests.memory": "4Gi", "pods": "6"}),
        [
            f"quota: expected room for 6Gi memory in namespace {NAMESPACE}, found 4Gi",
            f"quota: expected room for 6 pods in namespace {NAMESPACE}, found 5",
        ],
    ),
    (
        "gpu",
        quota(**{"requests.nvidia.com/gpu": "1"}),
        [f"quota: expected room for 1 nvidia.com/gpu in namespace {NAMESPACE}, found 0"],
    ),
    (
        "scale-to-zero",
        quota(**{"limits.cpu": "4"}),
        [f"quota: expected room for 4 CPU of limits in namespace {NAMESPACE}, found 3"],
    ),
    (
        "knative",
        forbid(("patch", "inferenceservices"), ("create", "serviceaccounts")),
        [
            (
                f"permission: expected to patch inferenceservices.serving.kserve.io in namespace {NAMESPACE}, "
                "found it forbidden"
            ),
            f"permission: expected to create serviceaccounts in namespace {NAMESPACE}, found it forbidden",
        ],
    ),
]


@pytest.mark.parametrize(("name", "change", "expected"), PLACE_FAULTS)
def test_what_the_namespace_lacks_is_one_line(
    server: ApiServer, name: str, change: Callable[[State], None], expected: list[str]
) -> None:
    change(server.state)
    found = lacking(server, overlay(name))
    assert sorted(found) == sorted(f"error: {line}" for line in expected)


def test_a_restricted_namespace_admits_a_bundle_in_the_image(server: ApiServer) -> None:
    chosen = overlay("baked")
    (own,) = chosen.of_kind("Namespace")
    assert own["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert lacking(server, chosen) == []


def test_a_quota_for_pods_of_another_kind_does_not_count(server: ApiServer) -> None:
    quota(cpu="1")(server.state)
    found = next(value for key, value in server.state.objects.items() if key.plural == "resourcequotas")
    found["spec"]["scopes"] = ["Terminating"]
    assert lacking(server, overlay("knative")) == []


def test_a_service_that_runs_is_not_held_up_by_the_quota_that_it_fills(server: ApiServer) -> None:
    quota(cpu="9")(server.state)
    (service,) = overlay("knative").of_kind("InferenceService")
    server.state.put(service)
    lines = [str(line) for line in findings(plan(server, overlay("knative")))]
    assert f"note: quota: expected room for 9 CPU in namespace {NAMESPACE}, found 8: new pods may wait" in lines
    assert not [line for line in lines if line.startswith("error")]


def test_a_service_keeps_its_deployment_mode(server: ApiServer) -> None:
    (service,) = overlay("knative").of_kind("InferenceService")
    server.state.put(service | {"status": {"deploymentMode": "Serverless"}})
    assert lacking(server, overlay("knative")) == []
    assert lacking(server, overlay("standard")) == [
        "error: mode: expected Knative, in which image-classifier runs until it is undeployed, found Standard"
    ]


def test_a_canary_that_the_overlay_does_not_know_comes_to_its_end_first(server: ApiServer) -> None:
    """What is deployed beside it would be a revision without traffic, and look ready."""
    (service,) = overlay("canary").of_kind("InferenceService")
    server.state.put(service)
    assert lacking(server, overlay("canary")) == []
    (line,) = lacking(server, overlay("knative"))
    assert line.startswith(
        "error: canary: expected no canary of image-classifier, or it in the overlay, found one at 10 %"
    )


def test_a_runtime_of_the_cluster_will_do_and_one_that_is_nowhere_will_not(server: ApiServer) -> None:
    base = overlay("knative")
    documents = tuple(document for document in base.documents if document["kind"] != "ServingRuntime")
    chosen = Overlay(base.directory, documents, base.namespace)
    assert lacking(server, chosen) == [
        "error: runtime: expected image-classifier-grpc in the overlay or on the cluster, found none"
    ]
    runtime = next(entry for entry in base.of_kind("ServingRuntime") if entry["metadata"]["name"].endswith("-grpc"))
    server.state.put(runtime | {"kind": "ClusterServingRuntime"})
    assert lacking(server, chosen) == []
    quota(cpu="9")(server.state)
    assert len(lacking(server, chosen)) == 1


def test_where_bundles_come_from_is_a_note(server: ApiServer) -> None:
    lines = [str(finding) for finding in findings(plan(server, overlay("canary")))]
    assert [line for line in lines if line.startswith("note: storage: ") and "resnet50-next" in line]


def test_what_admission_refuses_is_told_for_every_object_and_so_is_a_conflict(server: ApiServer) -> None:
    refusals = server.state.refusals
    refusals["DRY inferenceservices/image-classifier"] = (HTTPStatus.BAD_REQUEST, "minReplicas: too many")
    refusals["DRY servingruntimes/image-classifier-rest"] = (HTTPStatus.FORBIDDEN, "priority: taken")
    refusals["DRY servingruntimes/image-classifier-grpc"] = (HTTPStatus.CONFLICT, "conflict")
    refusals["DRY serviceaccounts/image-classifier-predictor"] = (
        HTTPStatus.BAD_REQUEST,
        'admission webhook "w" does not support dry run',
    )
    refusals["DRY serviceaccounts/image-classifier-transformer"] = (
        HTTPStatus.FORBIDDEN,
        'serviceaccounts is forbidden: User "me" cannot patch resource "serviceaccounts"',
    )
    assert lacking(server, overlay("knative")) == [
        "error: admission: expected ServingRuntime image-classifier-grpc to be admitted, found 409 conflict",
        "error: admission: expected ServingRuntime image-classifier-rest to be admitted, found 403 priority: taken",
        "error: admission: expected InferenceService image-classifier to be admitted, found 400 minReplicas: too many",
    ]
    assert server.state.changes == []
