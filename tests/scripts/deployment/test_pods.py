"""The pods of InferenceServices as KServe makes them."""

from copy import deepcopy
from typing import Any

import pytest

from scripts.deployment.pods import Document, deployments
from scripts.errors import RunError

RUNTIME: Document = {
    "kind": "ServingRuntime",
    "metadata": {"name": "tensors"},
    "spec": {
        "annotations": {"prometheus.kserve.io/port": "8080"},
        "labels": {"tier": "runtime", "team": "runtime"},
        "supportedModelFormats": [{"name": "image-classifier"}],
        "containers": [
            {
                "name": "kserve-container",
                "image": "predictor@sha256:0",
                "args": ["--model_name={{.Name}}", "--workers=1"],
                "env": [{"name": "MAX_IN_FLIGHT", "value": "32"}, {"name": "LOG_LEVEL", "value": "info"}],
                "ports": [{"name": "h2c", "containerPort": 8081}],
                "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2", "memory": "1Gi"}},
                "securityContext": {"runAsNonRoot": True},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
            },
            {"name": "sidecar", "image": "sidecar@sha256:0"},
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    },
}
SERVICE: Document = {
    "kind": "InferenceService",
    "metadata": {
        "name": "photos",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/name": "classifier", "team": "service"},
        "annotations": {"serving.kserve.io/deploymentMode": "Standard"},
    },
    "spec": {
        "predictor": {
            "minReplicas": 3,
            "maxReplicas": 10,
            "scaleMetric": "cpu",
            "timeout": 60,
            "serviceAccountName": "predictor",
            "automountServiceAccountToken": False,
            "labels": {"tier": "predictor"},
            "model": {"modelFormat": {"name": "image-classifier"}, "runtime": "tensors", "storageUri": "s3://bundle"},
        },
        "transformer": {
            "serviceAccountName": "transformer",
            "deploymentStrategy": {"type": "RollingUpdate"},
            "containers": [{"name": "photos-in", "image": "transformer@sha256:0"}],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    },
}


def service(**predictor: Any) -> Document:
    """SERVICE with other fields of its predictor; a None takes a field away."""
    changed = deepcopy(SERVICE)
    fields = changed["spec"]["predictor"] | predictor
    changed["spec"]["predictor"] = {key: value for key, value in fields.items() if value is not None}
    return changed


def model(**fields: Any) -> Document:
    """A service whose predictor has other fields of its model."""
    return service(model=SERVICE["spec"]["predictor"]["model"] | fields)


def pod(deployment: Document) -> Document:
    spec: Document = deployment["spec"]["template"]["spec"]
    return spec


def server(documents: list[Document]) -> Document:
    """The container that serves of the first predictor."""
    container: Document = pod(deployments(documents)[0])["containers"][0]
    return container


def test_each_component_is_a_deployment_with_kserves_name_in_the_services_namespace() -> None:
    found = deployments([RUNTIME, SERVICE])
    assert [(each["apiVersion"], each["kind"]) for each in found] == [("apps/v1", "Deployment")] * 2
    assert [each["metadata"]["name"] for each in found] == ["photos-predictor", "photos-transformer"]
    assert [each["metadata"]["namespace"] for each in found] == ["shop", "shop"]


def test_without_a_namespace_none_is_made_up() -> None:
    nowhere = deepcopy(SERVICE)
    del nowhere["metadata"]["namespace"]
    assert all("namespace" not in each["metadata"] for each in deployments([RUNTIME, nowhere]))


def test_pods_have_the_labels_that_policies_select_by() -> None:
    predictor, transformer = deployments([RUNTIME, SERVICE])
    shared = {"app.kubernetes.io/name": "classifier", "serving.kserve.io/inferenceservice": "photos", "team": "service"}
    assert predictor["spec"]["template"]["metadata"]["labels"] == shared | {
        "component": "predictor",
        "tier": "predictor",  # the component's goes before the service's, and that before the runtime's
        "app": "isvc.photos-predictor",
    }
    assert transformer["spec"]["template"]["metadata"]["labels"] == shared | {
        "component": "transformer",
        "app": "isvc.photos-transformer",
    }


def test_a_deployment_selects_its_own_pods_alone() -> None:
    predictor, transformer = deployments([RUNTIME, SERVICE])
    for one, other in ((predictor, transformer), (transformer, predictor)):
        selector = one["spec"]["selector"]["matchLabels"].items()
        assert selector <= one["spec"]["template"]["metadata"]["labels"].items()
        assert not selector <= other["spec"]["template"]["metadata"]["labels"].items()


def test_the_least_number_of_pods_is_the_number_of_replicas() -> None:
    assert [each["spec"]["replicas"] for each in deployments([RUNTIME, SERVICE])] == [3, 1]
    assert deployments([RUNTIME, service(minReplicas=0)])[0]["spec"]["replicas"] == 0


def test_a_rollout_is_the_components() -> None:
    predictor, transformer = deployments([RUNTIME, SERVICE])
    assert "strategy" not in predictor["spec"]
    assert transformer["spec"]["strategy"] == {"type": "RollingUpdate"}


def test_a_pod_is_what_its_component_says_without_what_only_kserve_reads() -> None:
    predictor, transformer = map(pod, deployments([RUNTIME, SERVICE]))
    assert set(predictor) == {"serviceAccountName", "automountServiceAccountToken", "containers", "volumes"}
    assert predictor["serviceAccountName"] == "predictor"
    assert predictor["automountServiceAccountToken"] is False
    assert set(transformer) == {"serviceAccountName", "containers", "volumes"}


def test_what_is_dangerous_in_a_component_reaches_the_pod() -> None:
    assert pod(deployments([RUNTIME, service(hostPID=True)])[0])["hostPID"] is True


def test_the_container_that_serves_has_kserves_name() -> None:
    assert pod(deployments([RUNTIME, SERVICE])[1])["containers"] == [
        {"name": "kserve-container", "image": "transformer@sha256:0"}
    ]


def test_a_predictor_runs_the_containers_of_its_runtime_for_the_service() -> None:
    predictor = pod(deployments([RUNTIME, SERVICE])[0])
    theirs = deepcopy(RUNTIME["spec"]["containers"])
    theirs[0]["args"][0] = "--model_name=photos"
    assert predictor["containers"] == theirs
    assert predictor["volumes"] == RUNTIME["spec"]["volumes"]


def test_a_models_arguments_come_after_its_runtimes() -> None:
    assert server([RUNTIME, model(args=["--top_k=3"])])["args"] == ["--model_name=photos", "--workers=1", "--top_k=3"]


def test_a_models_variables_replace_the_runtimes_of_the_same_name() -> None:
    secret = {"name": "LOG_LEVEL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    added = {"name": "MODEL_DEVICE", "value": "cpu"}
    assert server([RUNTIME, model(env=[secret, added])])["env"] == [
        {"name": "MAX_IN_FLIGHT", "value": "32"},
        secret,
        added,
    ]


def test_a_models_resources_are_merged_into_the_runtimes() -> None:
    assert server([RUNTIME, model(resources={"limits": {"memory": "2Gi"}})])["resources"] == {
        "requests": {"cpu": "2"},
        "limits": {"cpu": "2", "memory": "2Gi"},
    }


def test_a_models_command_replaces_the_runtimes() -> None:
    runtime = deepcopy(RUNTIME)
    runtime["spec"]["containers"][0]["command"] = ["python", "-m", "predictor"]
    assert server([runtime, model(command=["serve"])])["command"] == ["serve"]


def test_a_predictors_volumes_stand_beside_the_runtimes() -> None:
    cache = {"name": "cache", "emptyDir": {}}
    volumes = pod(deployments([RUNTIME, service(volumes=[cache])])[0])["volumes"]
    assert volumes == [*RUNTIME["spec"]["volumes"], cache]


def test_a_runtime_of_the_cluster_serves_where_the_namespace_has_none() -> None:
    cluster = deepcopy(RUNTIME) | {"kind": "ClusterServingRuntime"}
    cluster["spec"]["containers"][0]["image"] = "cluster"
    assert server([cluster, SERVICE])["image"] == "cluster"
    assert server([cluster, RUNTIME, SERVICE])["image"] == "predictor@sha256:0"


def test_a_predictor_of_containers_needs_no_runtime() -> None:
    own = service(model=None, containers=[{"name": "mine", "image": "own"}])
    assert server([own]) == {"name": "kserve-container", "image": "own"}


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([SERVICE], "predictor.model.runtime: no ServingRuntime or ClusterServingRuntime is named 'tensors'"),
        ([RUNTIME, service(model={"modelFormat": {}})], "predictor.model.runtime is missing; the cluster would choose"),
        ([service(model=None)], "expected a model or containers in every component"),
        (
            [RUNTIME | {"spec": {"containers": [{"name": "other"}]}}, SERVICE],
            "its runtime 'tensors' has no container named 'kserve-container'",
        ),
    ],
    ids=["gone", "unnamed", "empty", "without a server"],
)
def test_a_service_whose_pods_nobody_can_tell_is_an_error(documents: list[Document], message: str) -> None:
    with pytest.raises(RunError, match=f"^InferenceService photos: {message}"):
        deployments(documents)


def canaries(*canary: Document) -> list[Document]:
    changed = service(name="stable", minReplicas=4, topologySpreadConstraints=[{"maxSkew": 1}])
    changed["spec"]["canary"] = list(canary)
    return deployments([RUNTIME, changed])[:-1]


def test_a_canary_is_a_deployment_whose_pods_count_among_the_stable_ones() -> None:
    found = canaries(
        {"trafficPercent": 10, "predictor": {"name": "next"}},
        {"trafficPercent": 0, "predictor": {"name": "trial", "minReplicas": 2}},
    )
    assert {each["metadata"]["name"]: each["spec"]["replicas"] for each in found} == {
        "photos-stable-predictor": 1,
        "photos-next-predictor": 1,
        "photos-trial-predictor": 2,
    }


def test_a_canary_has_from_the_stable_predictor_what_it_does_not_say() -> None:
    stable, canary = canaries(
        {"trafficPercent": 10, "predictor": {"name": "next", "serviceAccountName": "next", "model": {"args": ["--x"]}}}
    )
    assert pod(canary)["topologySpreadConstraints"] == pod(stable)["topologySpreadConstraints"]
    assert pod(canary)["serviceAccountName"] == "next"
    assert pod(canary)["containers"][0]["args"] == ["--model_name=photos", "--workers=1", "--x"]
    assert "--x" not in pod(stable)["containers"][0]["args"]


def test_nothing_that_is_given_is_changed() -> None:
    documents = [deepcopy(RUNTIME), model(env=[{"name": "LOG_LEVEL", "value": "debug"}], args=["--x"])]
    before = deepcopy(documents)
    for deployment in deployments(documents):
        pod(deployment)["containers"].clear()
        pod(deployment)["volumes"].clear()
    assert documents == before
