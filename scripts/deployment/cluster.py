"""A Kubernetes API server and what the scripts ask of it; whatever it refuses is one line that a person can act on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, list_kube_config_contexts, load_kube_config
from kubernetes.dynamic import DynamicClient
from yaml import YAMLError

from scripts.deployment.discovery import Discovery
from scripts.deployment.exchange import NOT_FOUND, ClusterError, Document, sent
from scripts.errors import RunError

MANAGER = "image-classifier"
"""Owns the fields that `scripts.deploy` applies."""

MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Cluster:
    """An API server; `namespace` is where objects go that name none."""

    client: Any
    namespace: str

    @classmethod
    def connect(cls, kubeconfig: Path | None = None, context: str | None = None, namespace: str | None = None) -> Self:
        """As kubectl does: KUBECONFIG or ~/.kube/config. Raises RunError when there is none; asks nothing yet."""
        path = str(kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
        configuration = Configuration()
        with _config_errors(path):
            load_kube_config(path, context=context, client_configuration=configuration, persist_config=False)
            chosen = namespace or _context_namespace(path, context)
        return cls(DynamicClient(ApiClient(configuration), discoverer=Discovery), chosen)

    @property
    def address(self) -> str:
        """Where the API server is."""
        return str(self.client.configuration.host)

    def version(self) -> str:
        """As the server words it, such as v1.34.0."""
        return str(sent(self.client.request, "get", "/version").get("gitVersion", ""))

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether objects of the kind can be there at all."""
        return self.client.resources.find(api_version, kind) is not None

    def plural(self, api_version: str, kind: str) -> str | None:
        """The resource's name in rules of access, such as inferenceservices."""
        resource = self.client.resources.find(api_version, kind)
        return None if resource is None else str(resource.name)

    def read(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Document | None:
        """An object; None when it, or its kind, is not there."""
        resource = self.client.resources.find(api_version, kind)
        if resource is None:
            return None
        try:
            return sent(self.client.get, resource, name=name, namespace=namespace)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def current(self, document: Document) -> Document | None:
        """The server's own version of a document; None when it is not there."""
        return self.read(*reference(document))

    def listed(self, api_version: str, kind: str, namespace: str) -> list[Document]:
        """All objects of a kind in a namespace."""
        return list(sent(self.client.get, self._resource(api_version, kind), namespace=namespace)["items"])

    def create(self, document: Document) -> Document:
        """The object that was made of `document`, which is of the whole cluster."""
        return sent(self.client.create, self._resource(document["apiVersion"], document["kind"]), body=document)

    def apply(self, document: Document, *, force: bool = False, dry_run: bool = False) -> Document:
        """Server-side apply by `MANAGER`; fields that others own are a conflict (409), or taken with `force`."""
        options: Document = {"force_conflicts": True} if force else {}
        if dry_run:
            options["dry_run"] = "All"
        api_version, kind, name, namespace = reference(document)
        return sent(
            self.client.server_side_apply,
            self._resource(api_version, kind),
            body=document,
            name=name,
            namespace=namespace,
            field_manager=MANAGER,
            **options,
        )

    def merge(self, document: Document, patch: Document, manager: str) -> Document:
        """The object with `patch` merged into it (RFC 7386: null removes)."""
        api_version, kind, name, namespace = reference(document)
        return sent(
            self.client.patch,
            self._resource(api_version, kind),
            body=patch,
            name=name,
            namespace=namespace,
            content_type=MERGE_PATCH,
            field_manager=manager,
        )

    def delete(self, document: Document) -> None:
        """Ask for the end of an object and, before it, of what belongs to it; it may go on for a while."""
        api_version, kind, name, namespace = reference(document)
        sent(
            self.client.delete,
            self._resource(api_version, kind),
            name=name,
            namespace=namespace,
            propagation_policy="Foreground",
        )

    def _resource(self, api_version: str, kind: str) -> Any:
        resource = self.client.resources.find(api_version, kind)
        if resource is None:
            raise ClusterError(f"expected the cluster to serve {kind} ({api_version}), found nothing", NOT_FOUND)
        return resource


def reference(document: Document) -> tuple[str, str, str, str | None]:
    """What names an object: apiVersion, kind, name and, unless it is the cluster's, namespace."""
    metadata = document["metadata"]
    return document["apiVersion"], document["kind"], metadata["name"], metadata.get("namespace")


def title(document: Document) -> str:
    """How an object is called in what is printed."""
    return f"{document['kind']} {document['metadata']['name']}"


@contextmanager
def _config_errors(path: str) -> Iterator[None]:
    try:
        yield
    except ConfigException as error:
        raise RunError(f"kubeconfig: expected a cluster and its credentials in {path}, found: {error}") from error
    except (OSError, YAMLError) as error:
        raise RunError(f"kubeconfig: expected a readable file, got {path} ({type(error).__name__})") from error


def _context_namespace(path: str, context: str | None) -> str:
    contexts, active = list_kube_config_contexts(path)
    chosen = next((entry for entry in contexts if entry["name"] == context), active)
    return str(chosen["context"].get("namespace") or "default")
