"""What admission refuses and no schema can say: the rules of KServe's, Knative's and our own review, as a table.

KServe's stand in pkg/apis/serving/v1beta1/inference_service_validation.go and component.go, pkg/webhook/admission/
servingruntime, pkg/apis/serving/v1alpha1/inference_graph_validation.go; Knative's in pkg/apis/serving/fieldmask.go.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.manifests.rendered import Document, containers, of_kind

Rule = Callable[[Document], Iterator[str]]

MODE = "serving.kserve.io/deploymentMode"
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_AUTOSCALERS = (None, "hpa", "external", "keda", "none")
_POD_FIELDS = {
    "affinity",
    "dnsConfig",
    "dnsPolicy",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "shareProcessNamespace",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
}
"""Of a pod, that Knative refuses unless a flag is set, or always."""

_CONTAINER_CONTEXT = {
    "allowPrivilegeEscalation",
    "capabilities",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seccompProfile",
}
_VOLUMES = {"configMap", "emptyDir", "projected", "secret"}


def refusals(documents: list[Document]) -> list[str]:
    """Why the documents would not be admitted together, or not served once they were."""
    return [
        f"{document['kind']} {document['metadata']['name']}: {problem}"
        for document in documents
        for rule in (*RULES.get(document["kind"], ()), no_python_path)
        for problem in rule(document)
    ] + list(unserved(documents))


def no_python_path(document: Document) -> Iterator[str]:
    for container in containers(document):
        if any(variable["name"] == "PYTHONPATH" for variable in container.get("env", ())):
            yield "PYTHONPATH is refused"


def named(service: Document) -> Iterator[str]:
    name = service["metadata"]["name"]
    if not _NAME.fullmatch(name):
        yield f"name {name!r} is refused"


def autoscaler_known(service: Document) -> Iterator[str]:
    given = service["metadata"].get("annotations", {}).get("serving.kserve.io/autoscalerClass")
    if given not in _AUTOSCALERS:
        yield f"autoscalerClass {given!r} is refused"


def one_implementation(service: Document) -> Iterator[str]:
    for name, component in components(service):
        given = [key for key in ("model", "containers") if component.get(key)]
        if len(given) != 1:
            yield f"{name}: expected one implementation, found {len(given)}"
        if "name" in component.get("model", {}):
            yield f"{name}: the model has a name of its own"
        if len(component.get("containers", ())) > 1:
            yield f"{name}: expected one container"


def replicas(service: Document) -> Iterator[str]:
    for name, component in components(service):
        least, most = component.get("minReplicas", 1), component.get("maxReplicas", 0)
        if least < 0 or most < 0 or (most and least > most):
            yield f"{name}: {least} to {most} replicas"
        if component.get("containerConcurrency", 0) < 0:
            yield f"{name}: containerConcurrency below 0"


def scaling(service: Document) -> Iterator[str]:
    allowed = ("concurrency", "rps") if knative(service) else ("cpu", "memory")
    for name, component in components(service):
        metric, target = component.get("scaleMetric"), component.get("scaleTarget", 1)
        if metric not in (None, *allowed):
            yield f"{name}: scaleMetric {metric!r} in {mode(service)} mode"
        if target < 1 or (metric == "cpu" and target > 100):
            yield f"{name}: scaleTarget {target} of {metric}"


def strategy(service: Document) -> Iterator[str]:
    for name, component in components(service):
        if knative(service) and "deploymentStrategy" in component:
            yield f"{name}: deploymentStrategy outside of Standard mode"


def storage(service: Document) -> Iterator[str]:
    for name, component in components(service):
        model = component.get("model", {})
        if "storageUri" in model and "storageUris" in component:
            yield f"{name}: storageUri and storageUris"
        if model.get("storage", {}).get("parameters", {}).get("type", "s3") not in ("s3", "hdfs", "webhdfs"):
            yield f"{name}: storage type {model['storage']['parameters']['type']!r}"
        for path in (entry.get("mountPath", "/mnt/models") for entry in component.get("storageUris", ())):
            if path == "/" or not path.startswith("/") or ".." in path.split("/"):
                yield f"{name}: mountPath {path!r}"


def logger(service: Document) -> Iterator[str]:
    for name, component in components(service):
        given = component.get("logger")
        if given is None:
            continue
        if given.get("mode", "all") not in ("all", "request", "response"):
            yield f"{name}: logger mode {given['mode']!r}"
        if "storage" in given and not {"path", "key"} <= set(given["storage"]):
            yield f"{name}: logger storage without path and key"


def keda(service: Document) -> Iterator[str]:
    chosen = service["metadata"].get("annotations", {}).get("serving.kserve.io/autoscalerClass") == "keda"
    for name, component in components(service):
        if chosen and "scaleMetric" in component:
            yield f"{name}: scaleMetric with keda, which takes autoScaling.metrics"
        for metric in component.get("autoScaling", {}).get("metrics", ()):
            if metric["type"] not in ("Resource", "External", "PodMetric"):
                yield f"{name}: metric type {metric['type']!r}"


def collocated(service: Document) -> Iterator[str]:
    for container in containers(service):
        names = [variable["name"] for variable in container.get("env", ())]
        if container.get("name") == "transformer-container" and "STORAGE_URI" in names:
            yield "STORAGE_URI on a collocated transformer"


def one_node(service: Document) -> Iterator[str]:
    """Several nodes are no way of ours, and have rules of their own."""
    if "workerSpec" in service["spec"]["predictor"]:
        yield "predictor: workerSpec"


def update_refusals(before: Document, after: Document) -> list[str]:
    """Why one state of an InferenceService cannot be applied over another."""
    found = []
    if mode(before) != mode(after):
        found.append(f"deploymentMode {mode(before)} to {mode(after)}")
    old, new = before["spec"]["predictor"], after["spec"]["predictor"]
    if old.get("name") != new.get("name") and old.get("model") == new.get("model"):
        found.append("predictor.name changed and its model not")
    return found


def protocol(service: Document) -> Iterator[str]:
    for container in containers(service):
        values = {variable["name"]: variable.get("value") for variable in container.get("env", ())}
        if values.get("PROTOCOL", "v2") not in ("v1", "v2"):
            yield f"PROTOCOL {values['PROTOCOL']!r}"


def knative_canary(service: Document) -> Iterator[str]:
    for name, component in components(service):
        percent = component.get("canaryTrafficPercent")
        if percent is not None and not knative(service):
            yield f"{name}: canaryTrafficPercent outside of Knative mode"
        if percent is not None and not 0 <= percent <= 100:
            yield f"{name}: canaryTrafficPercent {percent}"


def standard_canary(service: Document) -> Iterator[str]:
    canaries = service["spec"].get("canary", [])
    if canaries and knative(service):
        yield "canary outside of Standard mode"
    names = [canary["predictor"].get("name") for canary in canaries]
    if None in names or len({*names, service["spec"]["predictor"].get("name")}) <= len(names):
        yield f"canary: names {names}, each must have its own"
    percents = [canary["trafficPercent"] for canary in canaries]
    if any(not 0 <= percent <= 100 for percent in percents) or sum(percents) > 100:
        yield f"canary: {percents} percent"
    for canary in canaries:
        yield from _of_canary(canary["predictor"], service["spec"]["predictor"])


def _of_canary(canary: Document, stable: Document) -> Iterator[str]:
    if autoscaling := {"maxReplicas", "scaleMetric", "scaleTarget", "autoScaling"} & set(canary):
        yield f"canary: {', '.join(sorted(autoscaling))} is refused, its pods are a fixed number"
    if canary.get("minReplicas", 1) > stable.get("minReplicas", 1):
        yield "canary: more pods than the stable predictor"


def knative_pod(service: Document) -> Iterator[str]:
    if not knative(service):
        return
    for name, component in components(service):
        for field in sorted(_POD_FIELDS & set(component)):
            yield f"{name}: {field} is refused by Knative"
        if component.get("automountServiceAccountToken", False):
            yield f"{name}: automountServiceAccountToken may only be false"
        yield from (f"{name}: {problem}" for problem in _knative_volumes(component))
        for container in component.get("containers", ()):
            yield from (f"{name}: {problem}" for problem in knative_container(container))


def knative_container(container: Document) -> Iterator[str]:
    """Also of a runtime's, which becomes a predictor's."""
    ports = container.get("ports", [])
    if len(ports) > 1:
        yield "more than one port is refused by Knative"
    for port in ports:
        if port.get("name", "") not in ("", "http1", "h2c"):
            yield f"port name {port['name']!r} is refused by Knative"
    if "lifecycle" in container:
        yield "lifecycle is refused by Knative"
    context = container.get("securityContext", {})
    for field in sorted(set(context) - _CONTAINER_CONTEXT):
        yield f"securityContext.{field} is refused by Knative"
    if "add" in context.get("capabilities", {}):
        yield "capabilities.add is refused by Knative"


def _knative_volumes(component: Document) -> Iterator[str]:
    for volume in component.get("volumes", ()):
        for kind in sorted(set(volume) - {"name"} - _VOLUMES):
            yield f"volume {kind} is refused by Knative"


def one_priority(runtime: Document) -> Iterator[str]:
    formats = Counter(
        (each["name"], each.get("version"), each.get("priority")) for each in runtime["spec"]["supportedModelFormats"]
    )
    if any(count > 1 for count in formats.values()):
        yield "a format twice with the same priority"
    if len({each.get("priority") for each in runtime["spec"]["supportedModelFormats"]}) > 1:
        yield "priorities of one format differ"


def graph(inference_graph: Document) -> Iterator[str]:
    nodes = inference_graph["spec"]["nodes"]
    if "root" not in nodes:
        yield "no node 'root'"
    for name, node in nodes.items():
        names = [step.get("name") for step in node["steps"] if "name" in step]
        if len(set(names)) < len(names):
            yield f"{name}: step names {names}"
        for step in node["steps"]:
            targets = {"serviceName", "nodeName", "serviceUrl"} & set(step)
            if len(targets) != 1:
                yield f"{name}: a step with {len(targets)} targets"
        weights = [step.get("weight", 0) for step in node["steps"]]
        if node["routerType"] == "Splitter" and sum(weights) != 100:
            yield f"{name}: weights {weights}"


def unserved(documents: list[Document]) -> Iterator[str]:
    """Admitted, and never ready: what a service names must be there and fit."""
    runtimes = {runtime["metadata"]["name"]: runtime["spec"] for runtime in of_kind("ServingRuntime", documents)}
    accounts = {account["metadata"]["name"] for account in of_kind("ServiceAccount", documents)}
    services = {service["metadata"]["name"] for service in of_kind("InferenceService", documents)}
    for service in of_kind("InferenceService", documents):
        for name, component in components(service):
            if component.get("serviceAccountName") not in accounts:
                yield f"{name}: no ServiceAccount {component.get('serviceAccountName')}"
        for model in models(service):
            yield from _unfit(model, runtimes, knative=knative(service))
    for inference_graph in of_kind("InferenceGraph", documents):
        steps = [step for node in inference_graph["spec"]["nodes"].values() for step in node["steps"]]
        for step in steps:
            if step.get("serviceName", next(iter(services))) not in services:
                yield f"no InferenceService {step['serviceName']}"


def _unfit(model: Document, runtimes: dict[str, Document], *, knative: bool) -> Iterator[str]:
    runtime = runtimes.get(model["runtime"])
    if runtime is None:
        yield f"no ServingRuntime {model['runtime']}"
        return
    if model.get("protocolVersion", "v1") not in runtime["protocolVersions"]:
        yield f"runtime {model['runtime']} does not speak {model.get('protocolVersion', 'v1')}"
    wanted = (model["modelFormat"]["name"], model["modelFormat"].get("version"))
    if wanted not in [(each["name"], each.get("version")) for each in runtime["supportedModelFormats"]]:
        yield f"runtime {model['runtime']} does not serve {wanted}"
    if knative:
        yield from (problem for container in runtime["containers"] for problem in knative_container(container))
        yield from _knative_volumes(runtime)


def components(service: Document) -> Iterator[tuple[str, Document]]:
    for name in ("predictor", "transformer"):
        if name in service["spec"]:
            yield name, service["spec"][name]


def models(service: Document) -> Iterator[Document]:
    """Of the predictor and of its canaries."""
    predictors = [service["spec"]["predictor"], *(each["predictor"] for each in service["spec"].get("canary", ()))]
    yield from (predictor["model"] for predictor in predictors if "model" in predictor)


def mode(service: Document) -> str:
    """As the defaulter leaves it: Knative where nothing is said."""
    return str(service["metadata"].get("annotations", {}).get(MODE, "Knative"))


def knative(service: Document) -> bool:
    return mode(service) == "Knative"


RULES: dict[str, tuple[Rule, ...]] = {
    "InferenceService": (
        named,
        autoscaler_known,
        one_implementation,
        replicas,
        scaling,
        strategy,
        storage,
        logger,
        keda,
        collocated,
        one_node,
        protocol,
        knative_canary,
        standard_canary,
        knative_pod,
    ),
    "ServingRuntime": (one_priority,),
    "ClusterServingRuntime": (one_priority,),
    "InferenceGraph": (graph,),
}


def spoiled(documents: list[Document], kind: str, change: Callable[[Document], Document]) -> list[Document]:
    """The documents with the first of that kind changed."""
    first: Any = of_kind(kind, documents)[0]
    return [change(document) if document is first else document for document in documents]
