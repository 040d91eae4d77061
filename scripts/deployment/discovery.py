"""Which kinds an API server serves, and under which paths."""

from typing import Any

from kubernetes.dynamic.resource import Resource

from scripts.deployment.exchange import NOT_FOUND, ClusterError, Document, sent


class Discovery:
    """What the server serves, asked anew by each process: installing KServe changes it."""

    def __init__(self, client: Any, cache_file: object) -> None:
        del cache_file  # the dynamic client offers one in /tmp
        self._client = client
        self._served: dict[str, list[Document]] = {}

    def find(self, api_version: str, kind: str) -> Any | None:
        """The resource of a kind; None when the server does not serve it."""
        if api_version not in self._served:
            self._served[api_version] = self._ask(api_version)
        for served in self._served[api_version]:
            if served["kind"] == kind and "/" not in served["name"]:
                return self._resource(api_version, served)
        return None

    def _ask(self, api_version: str) -> list[Document]:
        path = f"{_prefix(api_version)}/{api_version}"
        try:
            answer = sent(self._client.request, "get", path)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return []
            raise
        return list(answer.get("resources", []))

    def _resource(self, api_version: str, served: Document) -> Any:
        group, _, version = api_version.rpartition("/")
        return Resource(
            prefix=_prefix(api_version),
            group=group,
            api_version=version,
            kind=served["kind"],
            namespaced=served["namespaced"],
            name=served["name"],
            client=self._client,
        )


def _prefix(api_version: str) -> str:
    return "apis" if "/" in api_version else "api"
