"""A cluster on which every overlay can be deployed, and overlays whose images have digests."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from scripts.constraints import ROOT
from scripts.deployment.checks import findings
from scripts.deployment.cluster import Cluster
from scripts.deployment.findings import Level
from scripts.deployment.overlay import Overlay
from scripts.deployment.plan import Plan
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer, Key, Kind, State
from tests.scripts.deployment.fields import Document

OVERLAYS = ROOT / "manifests" / "overlays"
NAMES = sorted(path.name for path in OVERLAYS.iterdir())
PODS = {"cpu": "100", "memory": "200Gi", "pods": "100", "requests.nvidia.com/gpu": "8"}

KINDS = (
    Kind("v1", "Namespace", "namespaces", namespaced=False),
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "ResourceQuota", "resourcequotas"),
    Kind("v1", "Service", "services"),
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False),
    Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False),
    Kind("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices"),
    Kind("serving.kserve.io/v1alpha1", "ServingRuntime", "servingruntimes"),
    Kind("serving.kserve.io/v1alpha1", "ClusterServingRuntime", "clusterservingruntimes", namespaced=False),
    Kind("serving.kserve.io/v1alpha1", "InferenceGraph", "inferencegraphs"),
    Kind("serving.knative.dev/v1", "Service", "services"),
    Kind("networking.istio.io/v1beta1", "VirtualService", "virtualservices"),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
    Kind("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "securitypolicies"),
    Kind("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy", "backendtrafficpolicies"),
)


def healthy() -> State:
    """Kubernetes 1.34, KServe 0.20, Knative 1.21, Istio and the Gateway API; the namespace `photos` has room."""
    state = State(kinds=list(KINDS))
    for name in (NAMESPACE, "kserve", "knative-serving"):
        state.put({"kind": "Namespace", "metadata": {"name": name}})
    quota = {"spec": {"hard": PODS}, "status": {"hard": PODS, "used": dict.fromkeys(PODS, "0")}}
    state.put({"kind": "ResourceQuota", "metadata": {"name": "compute", "namespace": NAMESPACE}} | quota)
    state.put(controller("kserve/kserve-controller:v0.20.0"))
    state.put(service_config(deploy={"defaultDeploymentMode": "Knative"}, ingress={"enableGatewayApi": True}))
    state.put(config_map("config-features", "knative-serving", {}))
    state.put(knative("1.21.1"))
    return state


def controller(image: str, pods: int = 1) -> Document:
    """KServe's."""
    containers = [{"name": "rbac-proxy", "image": "proxy:v0.1.0"}, {"name": "manager", "image": image}]
    return {
        "kind": "Deployment",
        "metadata": {"name": "kserve-controller-manager", "namespace": "kserve"},
        "spec": {"template": {"spec": {"containers": containers}}},
        "status": {"availableReplicas": pods} if pods else {},
    }


def knative(version: str) -> Document:
    """The definition that tells Knative's version."""
    labels = {"app.kubernetes.io/version": version}
    return {"kind": "CustomResourceDefinition", "metadata": {"name": "services.serving.knative.dev", "labels": labels}}


def config_map(name: str, namespace: str, data: Document) -> Document:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def service_config(**settings: Document) -> Document:
    """KServe's settings."""
    return config_map("inferenceservice-config", "kserve", {key: json.dumps(value) for key, value in settings.items()})


def remove(state: State, plural: str, name: str) -> None:
    """Take one object away."""
    for key in [key for key in state.objects if (key.plural, key.name) == (plural, name)]:
        del state.objects[key]


def unserve(state: State, *plurals: str) -> None:
    """Take kinds away, as if their definitions were not installed."""
    state.kinds = [kind for kind in state.kinds if kind.plural not in plurals]


def hide(state: State, *words: str) -> None:
    """Make reading forbidden, such as `configmaps/config-features`."""
    for word in words:
        state.refusals[f"GET {word}"] = (HTTPStatus.FORBIDDEN, f"{word} is forbidden")


@cache
def overlay(name: str) -> Overlay:
    """What an overlay renders to in the namespace `photos`, with digests that could be real."""
    _require_kubectl()
    rendered = Overlay.render(OVERLAYS / name, NAMESPACE)
    return Overlay(rendered.directory, tuple(_with_digests(rendered.documents)), rendered.namespace)


def with_documents(name: str, *documents: Document) -> Overlay:
    """An overlay with more documents at its end."""
    base = overlay(name)
    return Overlay(base.directory, (*base.documents, *documents), base.namespace)


def plan(server: ApiServer, chosen: Overlay) -> Plan:
    return Plan(Cluster.connect(server.kubeconfig), chosen)


def pinned(directory: Path, name: str) -> Path:
    """An overlay on top of a real one, as a person writes it: with the digests of images of one's own."""
    _require_kubectl()
    made = directory / "overlay"
    made.mkdir()
    images = [
        f"  - {{name: registry.example.com/image-classifier/{image}, digest: 'sha256:{'1' * 64}'}}"
        for image in ("predictor", "predictor-baked", "predictor-cuda", "transformer")
    ]
    resource = os.path.relpath(OVERLAYS / name, made.resolve())
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        f"resources: [{resource}]",
        "images:",
    ]
    (made / "kustomization.yaml").write_text("\n".join([*lines, *images, ""]))
    return made


def ready(document: Document, url: str) -> Document:
    """The status of an object that serves."""
    conditions = [{"type": "PredictorReady", "status": "True"}, {"type": "Ready", "status": "True"}]
    components = {"predictor": {"latestCreatedRevision": "r-1", "latestReadyRevision": "r-1"}}
    return {"conditions": conditions, "url": url, "components": components, "observedGeneration": generation(document)}


def generation(document: Document) -> int:
    return int(document["metadata"].get("generation", 1))


def lacking(server: ApiServer, chosen: Overlay) -> list[str]:
    """What keeps one from deploying, as it is printed."""
    return [str(finding) for finding in findings(plan(server, chosen)) if finding.level is Level.ERROR]


def quota(**hard: str) -> Callable[[State], None]:
    """A change to a quota of `hard`, of which 1 is used."""

    def change(state: State) -> None:
        status = {"hard": hard, "used": dict.fromkeys(hard, "1")}
        metadata = {"name": "compute", "namespace": NAMESPACE}
        state.put({"kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}, "status": status})

    return change


def put(state: State, document: Document) -> None:
    """`state.put` for a lambda."""
    state.put(document)


def forbid(*pairs: tuple[str, str]) -> Callable[[State], None]:
    """A change that denies verbs on plurals."""
    return lambda state: state.forbidden.update(pairs)


def object_of(state: State, plural: str, name: str, namespace: str = NAMESPACE) -> Any:
    return state.objects[Key(plural, namespace, name)]


def _require_kubectl() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")


def _with_digests(documents: Sequence[Document]) -> list[Document]:
    return list(json.loads(json.dumps(documents).replace("0" * 64, "1" * 64)))
