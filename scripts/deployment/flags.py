"""The feature flags without which Knative refuses a field of a pod: knative/serving `pkg/apis/config/features.go`."""

from collections.abc import Iterator
from typing import NamedTuple

from scripts.deployment.exchange import Document


class Flag(NamedTuple):
    """An entry of Knative's ConfigMap config-features, and the field that needs it."""

    name: str
    field: str
    default: str = "disabled"


_NAMED_AS_THEIR_FIELD = (
    "affinity",
    "dnsConfig",
    "dnsPolicy",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "nodeSelector",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "shareProcessNamespace",
    "tolerations",
    "topologySpreadConstraints",
)
_POD = (
    *(Flag(f"kubernetes.podspec-{field.lower()}", field) for field in _NAMED_AS_THEIR_FIELD),
    Flag("kubernetes.podspec-init-containers", "initContainers"),
)
_VOLUMES = (
    Flag("kubernetes.podspec-volumes-emptydir", "emptyDir", "enabled"),
    Flag("kubernetes.podspec-volumes-hostpath", "hostPath"),
    Flag("kubernetes.podspec-volumes-csi", "csi"),
    Flag("kubernetes.podspec-persistent-volume-claim", "persistentVolumeClaim"),
)
_FIELD_REFERENCE = Flag("kubernetes.podspec-fieldref", "fieldRef")
_CAPABILITIES = Flag("kubernetes.containerspec-addcapabilities", "capabilities.add")


def flags_of(pod: Document) -> Iterator[Flag]:
    """The flags that the spec of a pod needs, some of them more than once."""
    yield from (flag for flag in _POD if flag.field in pod)
    for volume in pod.get("volumes", []):
        yield from (flag for flag in _VOLUMES if flag.field in volume)
    for container in pod.get("containers", []):
        yield from _of_container(container)


def _of_container(container: Document) -> Iterator[Flag]:
    if any("fieldRef" in (entry.get("valueFrom") or {}) for entry in container.get("env", [])):
        yield _FIELD_REFERENCE
    if ((container.get("securityContext") or {}).get("capabilities") or {}).get("add"):
        yield _CAPABILITIES
