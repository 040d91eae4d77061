"""An overlay and the cluster that it shall go to: what the checks judge."""

import json
from dataclasses import dataclass
from functools import cached_property

from scripts.deployment.cluster import Cluster
from scripts.deployment.exchange import Document
from scripts.deployment.inference_service import KNATIVE, mode_of, normal_mode, runtimes_of, storage_uris
from scripts.deployment.overlay import Overlay
from scripts.deployment.pods import deployments

KSERVE = "serving.kserve.io/v1alpha1"
KSERVE_NAMESPACE = "kserve"
KNATIVE_NAMESPACE = "knative-serving"
SERVICE_CONFIG = "inferenceservice-config"
RUNTIME_KINDS = ("ServingRuntime", "ClusterServingRuntime")


@dataclass(frozen=True)
class Plan:
    """Asks the cluster for a thing once, and only when a check wants it. `force` takes over fields that others set."""

    cluster: Cluster
    overlay: Overlay
    force: bool = False

    @cached_property
    def services(self) -> list[Document]:
        """The InferenceServices of the overlay."""
        return self.overlay.of_kind("InferenceService")

    @cached_property
    def service_config(self) -> Document | None:
        """KServe's own ConfigMap."""
        return self.cluster.read("v1", "ConfigMap", SERVICE_CONFIG, KSERVE_NAMESPACE)

    @cached_property
    def namespace(self) -> Document | None:
        """The namespace as it is on the cluster."""
        return self.cluster.read("v1", "Namespace", self.overlay.namespace)

    @cached_property
    def runtimes(self) -> dict[str, Document | None]:
        """The runtimes that services ask for, of the overlay or the cluster, by name; None for one that is nowhere."""
        names = {name for service in self.services for name in runtimes_of(service)}
        return {name: self._runtime(name) for name in sorted(names)}

    @cached_property
    def pods(self) -> list[Document]:
        """A Deployment for each component of a service; none while a runtime is nowhere."""
        runtimes = list(self.runtimes.values())
        found = [runtime for runtime in runtimes if runtime is not None]
        return deployments([*found, *self.services]) if len(found) == len(runtimes) else []

    @property
    def storage_uris(self) -> list[str]:
        """Where bundles come from."""
        return sorted({uri for service in self.services for uri in storage_uris(service)})

    @property
    def modes(self) -> set[str]:
        """How the services run: Knative, Standard, or both."""
        return {mode_of(service, "") or self._default_mode() for service in self.services}

    def setting(self, key: str, name: str) -> object:
        """One value of `service_config`, whose entries are JSON; None when it has none."""
        text = ((self.service_config or {}).get("data") or {}).get(key, "{}")
        try:
            return json.loads(text).get(name)
        except (AttributeError, ValueError):
            return None

    def _default_mode(self) -> str:
        return normal_mode(str(self.setting("deploy", "defaultDeploymentMode") or KNATIVE))

    def _runtime(self, name: str) -> Document | None:
        for kind in RUNTIME_KINDS:
            for document in self.overlay.of_kind(kind):
                if document["metadata"]["name"] == name:
                    return document
        local, shared = RUNTIME_KINDS
        found = self.cluster.read(KSERVE, local, name, self.overlay.namespace)
        return found or self.cluster.read(KSERVE, shared, name)
