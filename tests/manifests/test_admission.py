"""Every overlay is admitted by KServe's and Knative's webhooks, and its services find what they name."""

from typing import Any

import pytest

from tests.manifests.admission import refusals, spoiled, update_refusals
from tests.manifests.changes import REMOVED, changed
from tests.manifests.rendered import OVERLAYS, cluster_runtimes, next_runtimes, of_kind, overlay

CONTAINER = "spec.transformer.containers.0"
DEPLOYMENT_MODE = "metadata.annotations.serving~kserve~io/deploymentMode"
KEY = "metadata.annotations.serving~kserve~io/autoscalerClass"
PYTHON_PATH = {"name": "PYTHONPATH", "value": "/x"}
FORMAT = {"name": "image-classifier", "version": "1", "autoSelect": True, "priority": 1}
PODS_METRIC = {"metrics": [{"type": "Pods"}]}
STORAGE = {"parameters": {"type": "gs"}}
COLLOCATED = {"name": "transformer-container", "env": [{"name": "STORAGE_URI", "value": "s3://x"}]}
CANARY = {"trafficPercent": 95, "predictor": {"name": "third", "minReplicas": 1}}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_admitted(name: str) -> None:
    assert refusals(overlay(name)) == []


def test_the_other_runtimes_are_admitted() -> None:
    assert refusals(cluster_runtimes() + next_runtimes()) == []


@pytest.mark.parametrize(
    ("name", "kind", "path", "value", "said"),
    [
        ("knative", "InferenceService", "metadata.name", "Image", "name 'Image'"),
        ("knative", "InferenceService", "metadata.name", "image-", "name 'image-'"),
        ("knative", "InferenceService", KEY, "kpa", "autoscalerClass 'kpa'"),
        ("knative", "InferenceService", f"{CONTAINER}.env.0", PYTHON_PATH, "PYTHONPATH"),
        ("knative", "ServingRuntime", "spec.containers.0.env.0", PYTHON_PATH, "PYTHONPATH"),
        ("knative", "InferenceService", "spec.predictor.model.env", [PYTHON_PATH], "PYTHONPATH"),
        ("knative", "InferenceService", "spec.predictor.containers", [{"name": "x"}], "expected one implementation"),
        ("knative", "InferenceService", "spec.predictor.model", REMOVED, "expected one implementation, found 0"),
        ("knative", "InferenceService", "spec.predictor.model.name", "x", "a name of its own"),
        ("knative", "InferenceService", "spec.transformer.containers.1", {"name": "x"}, "expected one container"),
        ("knative", "InferenceService", "spec.predictor.minReplicas", 11, "11 to 10 replicas"),
        ("knative", "InferenceService", "spec.predictor.minReplicas", -1, "-1 to 10 replicas"),
        ("knative", "InferenceService", "spec.predictor.containerConcurrency", -1, "containerConcurrency"),
        ("knative", "InferenceService", "spec.predictor.scaleMetric", "cpu", "scaleMetric 'cpu' in Knative mode"),
        ("standard", "InferenceService", "spec.predictor.scaleMetric", "rps", "scaleMetric 'rps' in Standard mode"),
        ("standard", "InferenceService", "spec.predictor.scaleTarget", 101, "scaleTarget 101 of cpu"),
        ("knative", "InferenceService", "spec.transformer.scaleTarget", 0, "scaleTarget 0"),
        ("knative", "InferenceService", "spec.predictor.deploymentStrategy", {}, "deploymentStrategy"),
        (
            "knative",
            "InferenceService",
            "spec.predictor.storageUris",
            [{"uri": "s3://x"}],
            "storageUri and storageUris",
        ),
        ("knative", "InferenceService", f"{CONTAINER}.env.0", {"name": "PROTOCOL", "value": "grpc-v2"}, "PROTOCOL"),
        ("standard", "InferenceService", "spec.predictor.canaryTrafficPercent", 10, "outside of Knative mode"),
        ("canary", "InferenceService", "spec.predictor.canaryTrafficPercent", 101, "canaryTrafficPercent 101"),
        ("standard-canary", "InferenceService", DEPLOYMENT_MODE, "Knative", "canary outside of Standard mode"),
        ("standard-canary", "InferenceService", "spec.predictor.name", "next", "each must have its own"),
        ("standard-canary", "InferenceService", "spec.canary.0.predictor.name", REMOVED, "each must have its own"),
        ("knative", "InferenceService", "spec.predictor.logger", {"mode": "some"}, "logger mode 'some'"),
        ("knative", "InferenceService", "spec.predictor.logger", {"storage": {"path": "x"}}, "without path and key"),
        ("knative", "InferenceService", "spec.predictor.model.storage", STORAGE, "storage type 'gs'"),
        ("knative", "InferenceService", "spec.predictor.storageUris", [{"mountPath": "/"}], "mountPath '/'"),
        ("knative", "InferenceService", "spec.predictor.storageUris", [{"mountPath": "a"}], "mountPath 'a'"),
        ("knative", "InferenceService", "spec.predictor.storageUris", [{"mountPath": "/a/.."}], "mountPath '/a/..'"),
        ("knative", "InferenceService", "spec.predictor.workerSpec", {}, "workerSpec"),
        ("knative", "InferenceService", "spec.predictor.containers", [COLLOCATED], "STORAGE_URI on a collocated"),
        ("standard", "InferenceService", KEY, "keda", "scaleMetric with keda"),
        ("standard", "InferenceService", "spec.predictor.autoScaling", PODS_METRIC, "metric type 'Pods'"),
        ("standard-canary", "InferenceService", "spec.canary.0.trafficPercent", -1, "[-1] percent"),
        ("standard-canary", "InferenceService", "spec.canary.1", CANARY, "[33, 95] percent"),
        ("standard-canary", "InferenceService", "spec.canary.0.predictor.maxReplicas", 3, "maxReplicas is refused"),
        ("standard-canary", "InferenceService", "spec.canary.0.predictor.minReplicas", 4, "more pods than the stable"),
        ("knative", "InferenceService", "spec.predictor.terminationGracePeriodSeconds", 60, "terminationGracePeriod"),
        ("knative", "InferenceService", "spec.predictor.nodeSelector", {"a": "b"}, "nodeSelector is refused"),
        ("knative", "InferenceService", "spec.transformer.securityContext", {"fsGroup": 1}, "securityContext"),
        ("knative", "InferenceService", "spec.transformer.automountServiceAccountToken", True, "may only be false"),
        ("knative", "InferenceService", f"{CONTAINER}.ports.1", {"containerPort": 8081}, "more than one port"),
        ("knative", "InferenceService", f"{CONTAINER}.ports.0.name", "grpc", "port name 'grpc'"),
        ("knative", "InferenceService", f"{CONTAINER}.lifecycle", {"preStop": {}}, "lifecycle"),
        ("knative", "InferenceService", f"{CONTAINER}.securityContext.procMount", "x", "securityContext.procMount"),
        ("knative", "InferenceService", f"{CONTAINER}.securityContext.capabilities.add", ["X"], "capabilities.add"),
        ("knative", "InferenceService", "spec.transformer.volumes.0", {"name": "tmp", "hostPath": {}}, "hostPath"),
        ("knative", "ServingRuntime", "spec.containers.0.ports.1", {"containerPort": 8080}, "more than one port"),
        ("knative", "ServingRuntime", "spec.containers.0.lifecycle", {}, "lifecycle"),
        ("knative", "ServingRuntime", "spec.volumes.0", {"name": "tmp", "hostPath": {}}, "hostPath"),
        ("knative", "ServingRuntime", "spec.supportedModelFormats.1", FORMAT, "a format twice"),
        ("knative", "ServingRuntime", "spec.supportedModelFormats.1", FORMAT | {"priority": 2}, "priorities of one"),
        ("knative", "ServingRuntime", "spec.protocolVersions", ["v2"], "does not speak grpc-v2"),
        ("knative", "InferenceService", "spec.predictor.model.protocolVersion", REMOVED, "does not speak v1"),
        ("knative", "InferenceService", "spec.predictor.model.modelFormat.version", "2", "does not serve"),
        ("knative", "InferenceService", "spec.predictor.model.runtime", "x", "no ServingRuntime x"),
        ("knative", "InferenceService", "spec.predictor.serviceAccountName", "x", "no ServiceAccount x"),
        ("ab", "InferenceGraph", "spec.nodes", {"first": {"routerType": "Sequence", "steps": []}}, "no node 'root'"),
        ("ab", "InferenceGraph", "spec.nodes.root.steps.1.name", "a", "step names"),
        ("ab", "InferenceGraph", "spec.nodes.root.steps.1.nodeName", "x", "a step with 2 targets"),
        ("ab", "InferenceGraph", "spec.nodes.root.steps.0.weight", 60, "weights [60, 50]"),
        ("ab", "InferenceGraph", "spec.nodes.root.steps.0.serviceName", "x", "no InferenceService x"),
    ],
)
def test_what_admission_refuses_is_seen(name: str, kind: str, path: str, value: Any, said: str) -> None:
    documents = spoiled(overlay(name), kind, lambda document: changed(document, path, value))
    assert said in "\n".join(refusals(documents))


@pytest.mark.parametrize(("before", "after"), [("knative", "canary"), ("standard", "standard-canary")])
def test_a_canary_can_be_applied_over_what_is_served(before: str, after: str) -> None:
    assert update_refusals(*(of_kind("InferenceService", overlay(name))[0] for name in (before, after))) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (DEPLOYMENT_MODE, "Standard", "deploymentMode Knative to Standard"),
        ("spec.predictor.name", "next", "predictor.name changed"),
    ],
)
def test_what_cannot_be_changed_is_seen(path: str, value: str, said: str) -> None:
    (service,) = of_kind("InferenceService", overlay("knative"))
    assert said in "\n".join(update_refusals(service, changed(service, path, value)))
