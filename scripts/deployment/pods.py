"""The pods that KServe makes of its InferenceServices, as plain Deployments: for linting only, since policy linters do
not look into KServe's own kinds.

What KServe and Knative add by themselves stays out: the storage initializer, queue-proxy, and the names of the service
and of its predictor.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from scripts.errors import RunError

Document = dict[str, Any]
"""An object of Kubernetes, or a part of one."""

SERVER = "kserve-container"
"""What KServe calls the container that serves, of the predictor and of the transformer."""

_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
"""Where a runtime is looked for, in this order."""

_OF_KSERVE = frozenset(
    {
        *("annotations", "autoScaling", "batcher", "canaryTrafficPercent", "containerConcurrency"),
        *("deploymentStrategy", "labels", "logger", "maxReplicas", "minReplicas", "model", "name", "scaleMetric"),
        *("scaleMetricType", "scaleTarget", "storageContainerName", "storageUris", "timeout", "workerSpec"),
    }
)
"""The fields of a component that are none of its pod's; whatever else stands there is, known here or not."""

_OF_MODEL = frozenset({"modelFormat", "protocolVersion", "runtime", "runtimeVersion", "storage", "storageUri"})
"""The fields of a predictor's model that are none of its container's."""

_OF_RUNTIME_POD = frozenset(
    {"affinity", "imagePullSecrets", "nodeSelector", "resourceClaims", "schedulerName", "tolerations", "volumes"}
)
"""What a runtime says of the pod besides its containers."""

_AUTOSCALING = frozenset({"autoScaling", "maxReplicas", "scaleMetric", "scaleTarget"})

_KEYS = {
    "env": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "resourceClaims": "name",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""By what the entries of a list are told apart when two lists are merged; any other list replaces the one before."""


def deployments(documents: Iterable[Document]) -> list[Document]:
    """A Deployment for each predictor, canary and transformer among `documents`, in their order.

    It is named as KServe names it, `<service>-<component>`, and has the labels by which policies select its pods.
    Raises RunError for a predictor whose runtime is not among `documents`.
    """
    known = list(documents)
    services = [document for document in known if document["kind"] == "InferenceService"]
    return [deepcopy(deployment) for service in services for deployment in _of_service(service, known)]


def _of_service(service: Document, documents: Sequence[Document]) -> list[Document]:
    spec = service["spec"]
    stable, canaries = spec["predictor"], spec.get("canary", [])
    found = [_predictor(service, _without_canaries(stable, canaries), documents)]
    found += [_predictor(service, _canary(stable, canary), documents) for canary in canaries]
    if "transformer" in spec:
        found.append(_transformer(service, spec["transformer"]))
    return found


def _without_canaries(stable: Document, canaries: Sequence[Document]) -> Document:
    """The canaries' pods are among those that the stable predictor is to have at least."""
    if not canaries:
        return stable
    others = sum(_canary_replicas(stable, canary) for canary in canaries)
    return stable | {"minReplicas": max(1, stable.get("minReplicas", 1) - others)}


def _canary(stable: Document, canary: Document) -> Document:
    """What a canary does not say itself, it has from the stable predictor."""
    inherited = {key: value for key, value in stable.items() if key not in _AUTOSCALING}
    return _overlaid(inherited, canary["predictor"]) | {"minReplicas": _canary_replicas(stable, canary)}


def _overlaid(base: Document, over: Document) -> Document:
    """`over` on top of `base`, mappings within mappings; a list replaces a list."""
    shared = [key for key in over if isinstance(over[key], dict) and isinstance(base.get(key), dict)]
    return base | over | {key: _overlaid(base[key], over[key]) for key in shared}


def _canary_replicas(stable: Document, canary: Document) -> int:
    share = math.ceil(stable.get("minReplicas", 1) * canary.get("trafficPercent", 0) / 100)
    return int(canary["predictor"].get("minReplicas", share))


def _predictor(service: Document, spec: Document, documents: Sequence[Document]) -> Document:
    name = "-".join([service["metadata"]["name"], *([spec["name"]] if "name" in spec else []), "predictor"])
    if "model" not in spec:
        return _deployment(service, "predictor", name, spec, _named(service, _pod(spec)))
    runtime = _runtime(service, spec["model"].get("runtime"), documents)
    shared = {key: value for key, value in runtime.items() if key in _OF_RUNTIME_POD}
    beside = [container for container in runtime["containers"] if container["name"] != SERVER]
    containers = [_server(service, spec["model"], runtime), *beside, *spec.get("containers", [])]
    pod = _merged(shared, _pod(spec)) | {"containers": containers}
    return _deployment(service, "predictor", name, spec, pod, runtime)


def _transformer(service: Document, spec: Document) -> Document:
    name = f"{service['metadata']['name']}-transformer"
    return _deployment(service, "transformer", name, spec, _named(service, _pod(spec)))


def _pod(spec: Document) -> Document:
    return {key: value for key, value in spec.items() if key not in _OF_KSERVE}


def _named(service: Document, pod: Document) -> Document:
    """The first container is the one that serves, whatever it was called."""
    if not pod.get("containers"):
        raise RunError(f"{_owner(service)}: expected a model or containers in every component")
    first, *others = pod["containers"]
    return pod | {"containers": [first | {"name": SERVER}, *others]}


def _runtime(service: Document, name: str | None, documents: Sequence[Document]) -> Document:
    """The runtime's spec; one of the service's namespace goes before the cluster's."""
    if name is None:
        raise RunError(f"{_owner(service)}: predictor.model.runtime is missing; the cluster would choose one")
    for kind in _RUNTIMES:
        for document in documents:
            if (document["kind"], document["metadata"]["name"]) == (kind, name):
                return dict(document["spec"])
    raise RunError(f"{_owner(service)}: predictor.model.runtime: no {' or '.join(_RUNTIMES)} is named {name!r}")


def _owner(service: Document) -> str:
    return f"InferenceService {service['metadata']['name']}"


def _server(service: Document, model: Document, runtime: Document) -> Document:
    """The container that serves: the runtime's with the model's fields over it, and the arguments of both."""
    base = next((container for container in runtime["containers"] if container["name"] == SERVER), None)
    if base is None:
        raise RunError(f"{_owner(service)}: its runtime {model['runtime']!r} has no container named {SERVER!r}")
    patch = {key: value for key, value in model.items() if key not in _OF_MODEL}
    container = _merged(base, patch) | {"name": SERVER}
    if arguments := [*base.get("args", []), *patch.get("args", [])]:
        container["args"] = arguments
    return dict(json.loads(json.dumps(container).replace("{{.Name}}", service["metadata"]["name"])))


def _merged(base: Any, patch: Any, field: str = "") -> Any:
    """`patch` over `base`, the value of `field`, as a strategic merge patch does it."""
    if isinstance(base, Mapping) and isinstance(patch, Mapping):
        return dict(base) | {key: _merged(base.get(key), value, key) for key, value in patch.items()}
    if isinstance(base, list) and isinstance(patch, list) and field in _KEYS:
        return _merged_lists(base, patch, field)
    return patch


def _merged_lists(base: Sequence[Document], patch: Sequence[Document], field: str) -> list[Document]:
    key = _KEYS[field]
    entries = {entry[key]: entry for entry in base}
    for entry in patch:
        # A variable has either a value or a source of it: the whole entry is replaced.
        old = entries.get(entry[key]) if field != "env" else None
        entries[entry[key]] = _merged(old, entry)
    return list(entries.values())


def _deployment(
    service: Document, component: str, name: str, spec: Document, pod: Document, runtime: Document | None = None
) -> Document:
    sources = [runtime or {}, service["metadata"], spec]  # the later goes before the earlier
    app = {"app": f"isvc.{name}"}
    ours = {"serving.kserve.io/inferenceservice": service["metadata"]["name"], "component": component, **app}
    labels = _union("labels", sources) | ours
    namespace = {key: value for key, value in service["metadata"].items() if key == "namespace"}
    rollout = {"strategy": spec["deploymentStrategy"]} if "deploymentStrategy" in spec else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **namespace, "labels": dict(labels)},
        "spec": {
            "replicas": spec.get("minReplicas", 1),
            **rollout,
            "selector": {"matchLabels": app},
            "template": {"metadata": {"labels": labels, "annotations": _union("annotations", sources)}, "spec": pod},
        },
    }


def _union(field: str, sources: Iterable[Document]) -> dict[str, str]:
    return {key: value for source in sources for key, value in source.get(field, {}).items()}
