"""What a cluster has installed, or has not."""

from collections.abc import Callable

import pytest

from scripts.deployment.checks import findings
from scripts.deployment.overlay import Overlay
from tests.scripts.deployment.api_server import NAMESPACE, ApiServer, Kind, State
from tests.scripts.deployment.clusters import (
    config_map,
    controller,
    knative,
    lacking,
    overlay,
    plan,
    put,
    remove,
    service_config,
    unserve,
    with_documents,
)

POLICY = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "SecurityPolicy",
    "metadata": {"name": "keys", "namespace": NAMESPACE},
}


def features(**flags: str) -> Callable[[State], None]:
    data = {f"kubernetes.podspec-{name.replace('_', '-')}": value for name, value in flags.items()}
    return lambda state: put(state, config_map("config-features", "knative-serving", data))


def version(text: str) -> Callable[[State], None]:
    def change(state: State) -> None:
        state.version = text

    return change


CLUSTER_FAULTS: list[tuple[str, Callable[[State], None], list[str]]] = [
    ("knative", version("v1.28.9-gke.1"), ["kubernetes: expected 1.29 or newer, found 1.28.9-gke.1"]),
    (
        "knative",
        lambda state: unserve(state, "clusterservingruntimes"),
        ["kserve: expected the cluster to serve ClusterServingRuntime (serving.kserve.io/v1alpha1), found nothing"],
    ),
    (
        "ab",
        lambda state: unserve(state, "inferencegraphs"),
        ["kserve: expected the cluster to serve InferenceGraph (serving.kserve.io/v1alpha1), found nothing"],
    ),
    ("knative", lambda state: unserve(state, "inferencegraphs"), []),
    (
        "knative",
        lambda state: remove(state, "deployments", "kserve-controller-manager"),
        ["kserve: expected its controller kserve-controller-manager in namespace kserve, found none"],
    ),
    (
        "knative",
        lambda state: put(state, controller("kserve/kserve-controller:v0.19.1")),
        ["kserve: expected 0.20 or newer, found 0.19.1"],
    ),
    (
        "knative",
        lambda state: put(state, controller("kserve/kserve-controller:v0.20.0", pods=0)),
        ["kserve: expected a running pod of kserve-controller-manager, found none"],
    ),
    (
        "knative",
        lambda state: remove(state, "configmaps", "inferenceservice-config"),
        ["kserve: expected the ConfigMap inferenceservice-config in namespace kserve, found none"],
    ),
    (
        "knative",
        lambda state: put(state, config_map("inferenceservice-config", "kserve", {"deploy": "not JSON"})),
        ["kserve: expected deploy.defaultDeploymentMode in inferenceservice-config, found none"],
    ),
    (
        "knative",
        lambda state: state.kinds.remove(Kind("serving.knative.dev/v1", "Service", "services")),
        ["knative: expected 1.15 or newer, found none"],
    ),
    ("standard", lambda state: state.kinds.remove(Kind("serving.knative.dev/v1", "Service", "services")), []),
    ("knative", lambda state: put(state, knative("1.12.3")), ["knative: expected 1.15 or newer, found 1.12.3"]),
    ("standard", lambda state: put(state, knative("1.12.3")), []),
    (
        "knative",
        features(volumes_emptydir="Disabled"),
        [
            (
                "knative: expected kubernetes.podspec-volumes-emptydir enabled in config-features, for emptyDir, "
                "found disabled"
            )
        ],
    ),
]


@pytest.mark.parametrize(("name", "change", "expected"), CLUSTER_FAULTS)
def test_what_the_cluster_lacks_is_one_line(
    server: ApiServer, name: str, change: Callable[[State], None], expected: list[str]
) -> None:
    change(server.state)
    assert lacking(server, overlay(name)) == [f"error: {line}" for line in expected]


@pytest.mark.parametrize(
    ("field", "value", "flag"),
    [
        ("nodeSelector", {"disk": "fast"}, "kubernetes.podspec-nodeselector"),
        ("tolerations", [{"operator": "Exists"}], "kubernetes.podspec-tolerations"),
        ("initContainers", [{"name": "first", "image": "i"}], "kubernetes.podspec-init-containers"),
        ("securityContext", {"fsGroup": 1}, "kubernetes.podspec-securitycontext"),
    ],
)
def test_a_field_that_knative_refuses_by_default_needs_its_flag(
    server: ApiServer, field: str, value: object, flag: str
) -> None:
    base = overlay("knative")
    (service,) = base.of_kind("InferenceService")
    changed = service | {"spec": service["spec"] | {"transformer": service["spec"]["transformer"] | {field: value}}}
    documents = tuple(changed if document is service else document for document in base.documents)
    chosen = Overlay(base.directory, documents, base.namespace)
    wanted = f"expected {flag} enabled in config-features, for {field}"
    assert lacking(server, chosen) == [f"error: knative: {wanted}, found disabled"]
    server.state.put(config_map("config-features", "knative-serving", {flag: "Enabled"}))
    assert lacking(server, chosen) == []


def test_policies_of_routes_need_the_gateway_api_and_standard_mode(server: ApiServer) -> None:
    assert lacking(server, with_documents("standard", POLICY)) == []
    assert lacking(server, with_documents("knative", POLICY)) == [
        "error: gateway: expected deploymentMode Standard for keys, found Knative"
    ]
    server.state.put(service_config(deploy={"defaultDeploymentMode": "Standard"}, ingress={}))
    unserve(server.state, "httproutes")
    assert lacking(server, with_documents("standard", POLICY)) == [
        "error: gateway: expected the Gateway API (gateway.networking.k8s.io/v1 HTTPRoute) for keys, found none",
        "error: gateway: expected ingress.enableGatewayApi true in inferenceservice-config for keys, found it unset",
    ]


def test_a_controller_by_digest_tells_its_version_by_label_or_not_at_all(server: ApiServer) -> None:
    server.state.put(controller(f"kserve/kserve-controller@sha256:{'2' * 64}"))
    lines = [str(line) for line in findings(plan(server, overlay("knative")))]
    assert [line for line in lines if line.startswith("note: kserve: expected 0.20 or newer, found")]
    labelled = controller(f"kserve/kserve-controller@sha256:{'2' * 64}")
    labelled["metadata"]["labels"] = {"app.kubernetes.io/version": "v0.18.0"}
    server.state.put(labelled)
    assert lacking(server, overlay("knative")) == ["error: kserve: expected 0.20 or newer, found 0.18.0"]


def test_knative_without_istio_is_worth_a_note(server: ApiServer) -> None:
    unserve(server.state, "virtualservices")
    wanted = "expected ingress.disableIstioVirtualHost true where Knative's network is not Istio"
    line = f"note: kserve: {wanted}, found it unset and no Istio"
    assert line in [str(finding) for finding in findings(plan(server, overlay("knative")))]
    settings = service_config(deploy={"defaultDeploymentMode": "Knative"}, ingress={"disableIstioVirtualHost": True})
    server.state.put(settings)
    assert line not in [str(finding) for finding in findings(plan(server, overlay("knative")))]
