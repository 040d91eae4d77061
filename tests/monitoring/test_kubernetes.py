"""`monitoring/kubernetes` goes with every overlay, and gives targets the labels that rules and boards read."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.assets import PROJECT, needs_crds
from tests.manifests.rendered import MANIFESTS, OVERLAYS, Document, built, of_kind
from tests.manifests.schemas import problems
from tests.monitoring.discovery import Container, Labels, Pod, scraped

MONITORING = PROJECT / "monitoring"
KUBERNETES = MONITORING / "kubernetes"
BOARDS = sorted((MONITORING / "grafana" / "boards").glob("*.json"))
APPLY_BYTES = 262_144
"""More than that `kubectl apply` cannot keep in an annotation of what it applied."""

SERVICE = {"app.kubernetes.io/name": "image-classifier", "serving.kserve.io/inferenceservice": "cats"}
PREDICTOR = SERVICE | {"component": "predictor"}
TRANSFORMER = SERVICE | {"component": "transformer"}


def in_knative(labels: Labels, revision: str, name: str, port: int, ip: str = "10.1.2.3") -> Pod:
    """With queue-proxy and, in a predictor, the storage initializer (knative/serving pkg/reconciler/revision)."""
    containers = [Container("kserve-container", {"user-port": port}), Container("queue-proxy", QUEUE_PROXY)]
    if labels["component"] == "predictor":
        containers.append(Container("storage-initializer"))
    return Pod(name, {**labels, "serving.knative.dev/revision": revision, "app": revision}, containers, ip=ip)


QUEUE_PROXY = {
    "queue-port": 8013,
    "https-port": 8112,
    "http-queueadm": 8022,
    "http-autometric": 9090,
    "http-usermetric": 9091,
}
KNATIVE_PODS = [
    in_knative(PREDICTOR, "cats-predictor-00002", "cats-predictor-00002-x", 8081),
    in_knative(TRANSFORMER, "cats-transformer-00001", "cats-transformer-00001-y", 8080, ip="fd00::7"),
]
STANDARD_PODS = [
    Pod("cats-predictor-z", PREDICTOR, [Container("kserve-container", {"h2c": 8081})]),
    Pod("cats-transformer-w", TRANSFORMER, [Container("kserve-container", {"http1": 8080, "grpc": 8081})]),
]
STRANGERS = [
    Pod("dogs", {"app.kubernetes.io/name": "dogs"}, [Container("kserve-container", {"http1": 8080})]),
    Pod("cats-predictor-ended", PREDICTOR, [Container("kserve-container", {"h2c": 8081})], phase="Succeeded"),
]


@pytest.fixture(scope="module")
def monitor() -> Document:
    document: Document = yaml.safe_load((KUBERNETES / "pod-monitor.yaml").read_text())
    return document


@pytest.fixture(scope="module")
def promtool() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")


def of_server(component: str, pod: str, instance: str) -> Labels:
    return {
        "component": component,
        "inference_service": "cats",
        "instance": instance,
        "job": "image-classifier",
        "namespace": "photos",
        "pod": pod,
    }


def of_queue_proxy(component: str, pod: str, instance: str, revision: str) -> Labels:
    return {**of_server(component, pod, instance), "job": "queue-proxy", "revision": revision}


@pytest.mark.usefixtures("promtool")
def test_in_knative_each_server_and_its_queue_proxy_are_scraped_once(monitor: Document, tmp_path: Path) -> None:
    predictor, transformer = "cats-predictor-00002-x", "cats-transformer-00001-y"
    assert scraped([monitor], [*KNATIVE_PODS, *STRANGERS], tmp_path) == [
        of_server("predictor", predictor, "10.1.2.3:8080"),
        of_queue_proxy("predictor", predictor, "10.1.2.3:9091", "cats-predictor-00002"),
        of_server("transformer", transformer, "[fd00::7]:8080"),
        of_queue_proxy("transformer", transformer, "[fd00::7]:9091", "cats-transformer-00001"),
    ]


@pytest.mark.usefixtures("promtool")
def test_in_standard_mode_each_server_is_scraped_once(monitor: Document, tmp_path: Path) -> None:
    assert scraped([monitor], [*STANDARD_PODS, *STRANGERS], tmp_path) == [
        of_server("predictor", "cats-predictor-z", "10.1.2.3:8080"),
        of_server("transformer", "cats-transformer-w", "10.1.2.3:8080"),
    ]


@pytest.mark.usefixtures("promtool")
def test_knatives_autoscaler_and_activator_are_scraped(tmp_path: Path) -> None:
    (monitor,) = built(KUBERNETES / "knative")
    ports = {"metrics": 9090, "profiling": 8008}
    pods = [
        Pod(f"{name}-1", {"app": name}, [Container(name, ports)]) for name in ("activator", "autoscaler", "webhook")
    ]
    targets = scraped([monitor], pods, tmp_path)
    assert [(target["job"], target["instance"], target["pod"]) for target in targets] == [
        ("activator", "10.1.2.3:9090", "activator-1"),
        ("autoscaler", "10.1.2.3:9090", "autoscaler-1"),
    ]


def test_targets_have_the_same_labels_with_and_without_a_cluster() -> None:
    """In a cluster, namespace and pod come to them."""
    scrapes = yaml.safe_load((MONITORING / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    (labels,) = {frozenset(each["labels"]) for scrape in scrapes for each in scrape["static_configs"]}
    assert labels | {"job", "instance", "namespace", "pod"} == set(of_server("predictor", "p", "i"))
    assert [scrape["job_name"] for scrape in scrapes] == ["image-classifier"]


def test_a_canary_is_told_apart_by_the_servers_own_label(monitor: Document) -> None:
    """Prometheus would rename it to exported_revision if the target had one of its own."""
    own, queue_proxy = monitor["spec"]["podMetricsEndpoints"]
    assert [each.get("targetLabel") for each in own["relabelings"]].count("revision") == 0
    assert [each.get("targetLabel") for each in queue_proxy["relabelings"]].count("revision") == 1


@needs_crds
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_component_goes_with_an_overlay(overlay: str, tmp_path: Path) -> None:
    documents = built(kustomization(tmp_path, overlay))
    assert [problem for document in documents for problem in problems(document)] == []
    assert len(of_kind("PodMonitor", documents)) == len(of_kind("PrometheusRule", documents)) == 1
    (selected,) = [each["spec"]["selector"]["matchLabels"] for each in of_kind("PodMonitor", documents)]
    services = of_kind("InferenceService", documents)
    assert services
    assert all(selected.items() <= service["metadata"]["labels"].items() for service in services)


@needs_crds
def test_what_is_for_knative_keeps_its_schema() -> None:
    documents = built(KUBERNETES / "knative")
    assert [problem for document in documents for problem in problems(document)] == []
    assert {document["metadata"]["namespace"] for document in documents} == {"knative-serving"}


def test_knative_is_told_to_serve_both_kinds_of_metrics() -> None:
    patch = yaml.safe_load((KUBERNETES / "knative" / "observability.yaml").read_text())
    assert patch == {"data": {"metrics-protocol": "prometheus", "request-metrics-protocol": "prometheus"}}


def test_the_policies_let_prometheus_reach_every_port_that_is_scraped() -> None:
    for name in ("predictor", "transformer"):
        policy = yaml.safe_load((MANIFESTS / "components" / "network-policies" / f"{name}.yaml").read_text())
        (ports,) = [rule["ports"] for rule in policy["spec"]["ingress"] if "monitoring" in json.dumps(rule["from"])]
        assert [port["port"] for port in ports] == [8080, 9091]


def test_every_board_is_a_config_map_that_grafana_finds_and_kubectl_can_apply() -> None:
    boards = {key: (each, text) for each in built(MONITORING / "grafana") for key, text in each["data"].items()}
    assert sorted(boards) == [path.name for path in BOARDS]
    assert boards
    for path in BOARDS:
        document, text = boards[path.name]
        assert text == path.read_text()
        assert document["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert document["metadata"]["name"] == f"image-classifier-board-{path.stem}"
        assert len(json.dumps(document)) < APPLY_BYTES


def kustomization(directory: Path, overlay: str) -> Path:
    """An overlay with the component, as a user would write one."""
    root = Path("../" * len(directory.parts[1:])) / PROJECT.relative_to("/")
    text = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(root / "manifests" / "overlays" / overlay)],
        "components": [str(root / "monitoring" / "kubernetes")],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return directory
