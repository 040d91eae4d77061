"""What every pod, image and policy of every overlay keeps: hardening that admission does not ask for."""

import re
from typing import Any

import pytest

from tests.manifests.rendered import OVERLAYS, Document, cluster_runtimes, containers, of_kind, overlay

DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8")
ALL_PODS = {"app.kubernetes.io/name": "image-classifier"}


def serving(documents: list[Document]) -> list[Document]:
    """The containers that run in pods; a `model` without an image only adds to its runtime's."""
    kinds = ("InferenceService", "ServingRuntime", "ClusterServingRuntime")
    found = [each for document in documents if document["kind"] in kinds for each in containers(document)]
    return [container for container in found if "image" in container]


def policy(documents: list[Document], name: str) -> Document:
    (found,) = [each for each in of_kind("NetworkPolicy", documents) if each["metadata"]["name"] == name]
    spec: Document = found["spec"]
    return spec


@pytest.fixture(params=[*OVERLAYS, "cluster-runtimes"])
def documents(request: pytest.FixtureRequest) -> list[Document]:
    return cluster_runtimes() if request.param == "cluster-runtimes" else overlay(request.param)


def test_a_container_may_do_nothing_but_serve(documents: list[Document]) -> None:
    wanted = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    found = serving(documents)
    assert found
    assert [container["securityContext"] for container in found] == [wanted] * len(found)


def test_an_image_is_named_by_its_digest(documents: list[Document]) -> None:
    assert [each["image"] for each in serving(documents) if not DIGEST.fullmatch(each["image"])] == []


def test_a_container_states_what_it_needs_and_may_have(documents: list[Document]) -> None:
    for container in serving(documents):
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]) & set(resources["limits"])
        assert resources["requests"]["memory"] == resources["limits"]["memory"]


def test_only_tmp_can_be_written_to_and_it_is_bounded(documents: list[Document]) -> None:
    for container in serving(documents):
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108
    volumes = _volumes(documents)
    assert volumes
    assert all(volume["emptyDir"]["sizeLimit"] for volume in volumes)


def test_probes_ask_for_this_server_alone(documents: list[Document]) -> None:
    """A liveness that asked the predictor would restart every transformer when it is away."""
    for container in serving(documents):
        assert container["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": 8080}
        assert container["livenessProbe"]["httpGet"] == {"path": "/v2/health/live", "port": 8080}
        assert container["startupProbe"]["httpGet"]["port"] == 8080


def test_the_model_is_named_by_kserve(documents: list[Document]) -> None:
    for container in serving(documents):
        assert "--workers=1" in container["args"]
        assert not any(variable["name"] == "MODEL_NAME" for variable in container.get("env", ()))
    for runtime in of_kind("ServingRuntime", documents) + of_kind("ClusterServingRuntime", documents):
        assert runtime["spec"]["containers"][0]["args"][0] == "--model_name={{.Name}}"


def test_a_transformer_says_how_it_speaks_to_its_predictor(documents: list[Document]) -> None:
    for service in of_kind("InferenceService", documents):
        if "transformer" in service["spec"]:
            args = service["spec"]["transformer"]["containers"][0]["args"]
            assert "--predictor_protocol=grpc-v2" in args
            assert not any(arg.startswith("--model_name") for arg in args)


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_pod_gets_a_token_for_the_cluster(name: str) -> None:
    documents = overlay(name)
    assert all(account["automountServiceAccountToken"] is False for account in of_kind("ServiceAccount", documents))
    for service in of_kind("InferenceService", documents):
        for component in ("predictor", "transformer"):
            if component in service["spec"]:
                assert service["spec"][component]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_is_denied_all_that_no_policy_allows(name: str) -> None:
    documents = overlay(name)
    denied = policy(documents, "image-classifier-default-deny")
    assert denied == {"podSelector": {"matchLabels": ALL_PODS}, "policyTypes": ["Ingress", "Egress"]}
    for service in of_kind("InferenceService", documents):
        assert ALL_PODS.items() <= service["metadata"]["labels"].items()


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_predictor_calls_nobody_but_its_storage(name: str) -> None:
    documents = overlay(name)
    assert "egress" not in policy(documents, "image-classifier-predictor")
    predictors = [service["spec"]["predictor"] for service in of_kind("InferenceService", documents)]
    stored = [predictor for predictor in predictors if "storageUri" in predictor["model"]]
    names = [each["metadata"]["name"] for each in of_kind("NetworkPolicy", documents)]
    assert ("image-classifier-predictor-storage" in names) == bool(stored)


def test_a_transformer_reaches_the_internet_but_no_private_network() -> None:
    spec = policy(overlay("knative"), "image-classifier-transformer")
    (block,) = [peer["ipBlock"] for rule in spec["egress"] for peer in rule["to"] if _all(peer, "0.0.0.0/0")]
    assert set(PRIVATE) <= set(block["except"])
    (ports,) = [rule["ports"] for rule in spec["egress"] if any(_all(peer, "0.0.0.0/0") for peer in rule["to"])]
    assert {port["port"] for port in ports} == {80, 443}


def test_no_way_leads_past_a_transformer() -> None:
    """Knative gives every service a public route unless told otherwise."""
    for name in OVERLAYS:
        for service in of_kind("InferenceService", overlay(name)):
            labels = service["spec"]["predictor"].get("labels", {})
            local = labels.get("networking.knative.dev/visibility") == "cluster-local"
            assert local == ("transformer" in service["spec"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_drain_of_nodes_takes_one_pod_of_a_component_at_a_time(name: str) -> None:
    documents = overlay(name)
    budgets = of_kind("PodDisruptionBudget", documents)
    with_transformer = any("transformer" in each["spec"] for each in of_kind("InferenceService", documents))
    components = ["predictor", "transformer"] if with_transformer else ["predictor"]
    assert [budget["spec"]["selector"]["matchLabels"] for budget in budgets] == [
        ALL_PODS | {"component": component} for component in components
    ]
    assert all(budget["spec"]["maxUnavailable"] == 1 and len(budget["spec"]) == 2 for budget in budgets)


def test_a_restricted_namespace_holds_nothing_that_is_fetched_at_start() -> None:
    """KServe's storage initializer has no security context, so such a namespace refuses its pods (kserve#5373)."""
    documents = overlay("baked")
    (namespace,) = of_kind("Namespace", documents)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (service,) = of_kind("InferenceService", documents)
    assert "storageUri" not in service["spec"]["predictor"]["model"]
    assert all("predictor-baked@" in each["image"] for each in serving(of_kind("ServingRuntime", documents)))
    others = [each for each in documents if each["kind"] != "Namespace"]
    assert {each["metadata"]["namespace"] for each in others} == {"image-classifier"}


def test_a_gpu_predictor_asks_for_a_gpu_and_never_serves_without() -> None:
    for container in serving(of_kind("ServingRuntime", overlay("gpu"))):
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert {"name": "MODEL_DEVICE", "value": "cuda"} in container["env"]
        assert "predictor-cuda@" in container["image"]


def _volumes(documents: list[Document]) -> list[Document]:
    holders: list[Any] = [
        holder
        for document in documents
        if document["kind"] in ("InferenceService", "ServingRuntime", "ClusterServingRuntime")
        for holder in (document["spec"], document["spec"].get("transformer", {}))
    ]
    return [volume for holder in holders for volume in holder.get("volumes", ())]


def _all(peer: Document, cidr: str) -> bool:
    return bool(peer.get("ipBlock", {}).get("cidr") == cidr)
