"""A Kubernetes API server of one's own: discovery, server-side apply with owners of fields, merge patches, deletion and
reviews of access, over HTTP on loopback; what its controllers would write, a test writes."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.scripts.deployment.fields import Document, at, bare, leaves, merged

TOKEN = "let-me-in"  # noqa: S105  # of nobody
NAMESPACE = "photos"


class Kind(NamedTuple):
    """What the server serves."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True


class Key(NamedTuple):
    """Where an object stands."""

    plural: str
    namespace: str
    name: str


class Refusal(Exception):
    """What the server answers instead."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class State:
    """All that the server knows; a test changes it at will."""

    version: str = "v1.34.0"
    kinds: list[Kind] = field(default_factory=list)
    objects: dict[Key, Document] = field(default_factory=dict)
    owners: dict[Key, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    changes: list[str] = field(default_factory=list)
    """What was done, such as `PATCH servingruntimes/image-classifier-grpc`."""
    refusals: dict[str, tuple[HTTPStatus, str]] = field(default_factory=dict)
    """What is refused, by the words of `changes`, with GET or DRY (a dry run) instead of a change."""
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """Verb and plural that a review of access denies."""
    coming: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    """Statuses by name of the object, of which each GET sets the next."""
    lingering: dict[str, int] = field(default_factory=dict)
    """How many GETs an object outlives its deletion, by name."""
    revision: int = 0

    def put(self, document: Document) -> Document:
        """Make it an object, as a person at another terminal would."""
        kind = next(kind for kind in self.kinds if kind.kind == document["kind"])
        metadata = document["metadata"]
        key = Key(kind.plural, metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        return self.store(key, document)

    def store(self, key: Key, document: Document) -> Document:
        """Keep it with a new resourceVersion, and a new generation where its spec changed; else as it was."""
        before = self.objects.get(key)
        document = deepcopy(document)
        if before is not None and bare(before) == bare(document):
            return before
        self.revision += 1
        generation = before["metadata"]["generation"] if before else 0
        changed = before is None or before.get("spec") != document.get("spec")
        document["metadata"] |= {"resourceVersion": str(self.revision), "generation": generation + changed}
        self.objects[key] = document
        return document

    def names(self, plural: str) -> list[str]:
        """The objects there are of a kind."""
        return sorted(key.name for key in self.objects if key.plural == plural)


@dataclass
class ApiServer:
    """The running server, and the kubeconfig that leads to it."""

    state: State
    kubeconfig: Path
    address: str


@contextmanager
def api_server(directory: Path, state: State) -> Iterator[ApiServer]:
    """Serve until the block ends."""

    class Handler(_Handler):
        known = state

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield ApiServer(state, kubeconfig(directory, address), address)
        finally:
            server.shutdown()
            thread.join()


def kubeconfig(directory: Path, address: str) -> Path:
    """A kubeconfig whose contexts are `here`, the current one, and `elsewhere`, a closed port."""
    path = directory / "kubeconfig"
    clusters = {"here": address, "elsewhere": "http://127.0.0.1:9"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in clusters.items()],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "me", "namespace": NAMESPACE}} for name in clusters
        ],
    }
    path.write_text(json.dumps(content))
    return path


class _Handler(BaseHTTPRequestHandler):
    known: State
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or each answer waits for a delayed acknowledgement
    lock = threading.Lock()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        content = self.rfile.read(length)
        try:
            with self.lock:
                self._send(HTTPStatus.OK, self._result(json.loads(content) if content else {}))
        except Refusal as refusal:
            status = {"kind": "Status", "status": "Failure", "message": str(refusal), "code": refusal.status.value}
            self._send(refusal.status, status)

    def _send(self, status: HTTPStatus, document: Document) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, body: Document) -> Document:
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        parts = urlsplit(self.path)
        if parts.path == "/version":
            self._refuse("GET version")
            return {"gitVersion": self.known.version}
        return self._of_group(parts.path.strip("/").split("/"), parse_qs(parts.query), body)

    def _of_group(self, path: list[str], query: dict[str, list[str]], body: Document) -> Document:
        length = 2 if path[0] == "api" else 3
        api_version, rest = "/".join(path[1:length]), path[length:]
        if not rest:
            return self._discovery(api_version)
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if rest[0] == "selfsubjectaccessreviews":
            return self._review(body)
        if not any(kind.plural == rest[0] and kind.api_version == api_version for kind in self.known.kinds):
            raise Refusal(HTTPStatus.NOT_FOUND, "the server could not find the requested resource")
        if len(rest) == 1:
            return self._list(rest[0], namespace)
        return self._object(Key(rest[0], namespace, rest[1]), query, body)

    def _discovery(self, api_version: str) -> Document:
        kinds = [kind for kind in self.known.kinds if kind.api_version == api_version]
        if not kinds:
            raise Refusal(HTTPStatus.NOT_FOUND, "the server could not find the requested resource")
        served = [{"name": kind.plural, "kind": kind.kind, "namespaced": kind.namespaced} for kind in kinds]
        status = [entry | {"name": f"{entry['name']}/status"} for entry in served]
        return {"kind": "APIResourceList", "groupVersion": api_version, "resources": [*status, *served]}

    def _review(self, body: Document) -> Document:
        attributes = body["spec"]["resourceAttributes"]
        denied = (attributes["verb"], attributes["resource"]) in self.known.forbidden
        return body | {"metadata": {}, "status": {"allowed": not denied}}

    def _list(self, plural: str, namespace: str) -> Document:
        self._refuse(f"GET {plural}")
        found = [value for key, value in self.known.objects.items() if key[:2] == (plural, namespace)]
        return {"kind": "List", "items": found}

    def _object(self, key: Key, query: dict[str, list[str]], body: Document) -> Document:
        dry = "dryRun" in query
        words = f"{'DRY' if dry else self.command} {key.plural}/{key.name}"
        self._refuse(words)
        if dry:
            return body
        if self.command == "GET":
            return self._get(key)
        self.known.changes.append(words)
        if self.command == "DELETE":
            return self._delete(key)
        manager = query["fieldManager"][0]
        if self.headers["content-type"] == "application/apply-patch+yaml":
            return self._apply(key, body, manager, force="force" in query)
        return self._merge(key, body, manager)

    def _refuse(self, words: str) -> None:
        if words in self.known.refusals:
            raise Refusal(*self.known.refusals[words])

    def _get(self, key: Key) -> Document:
        found = self._there(key)
        if self.known.coming[key.name]:
            found["status"] = self.known.coming[key.name].pop(0)
        if key.name in self.known.lingering and "deletionTimestamp" in found["metadata"]:
            self._linger(key)
        return found

    def _linger(self, key: Key) -> None:
        self.known.lingering[key.name] -= 1
        if self.known.lingering[key.name] <= 0:
            del self.known.objects[key]

    def _there(self, key: Key) -> Document:
        if key not in self.known.objects:
            raise Refusal(HTTPStatus.NOT_FOUND, f'{key.plural} "{key.name}" not found')
        return self.known.objects[key]

    def _delete(self, key: Key) -> Document:
        found = self._there(key)
        if key.name in self.known.lingering:
            found["metadata"]["deletionTimestamp"] = "2026-11-26T19:30:00Z"
        else:
            del self.known.objects[key]
        return {"kind": "Status", "status": "Success"}

    def _apply(self, key: Key, body: Document, manager: str, *, force: bool) -> Document:
        if key.namespace and Key("namespaces", "", key.namespace) not in self.known.objects:
            raise Refusal(HTTPStatus.NOT_FOUND, f'namespaces "{key.namespace}" not found')
        before = self.known.objects.get(key, {})
        owners = self.known.owners[key]
        for path, value in leaves(body.get("spec", {}), ".spec"):
            other = owners.get(path, manager)
            if other != manager and not force and at(before, path) != value:
                raise Refusal(
                    HTTPStatus.CONFLICT, f'Apply failed with 1 conflict: conflict with "{other}" using v1beta1: {path}'
                )
            owners[path] = manager
        return self.known.store(key, merged(before, body))

    def _merge(self, key: Key, body: Document, manager: str) -> Document:
        for path, _ in leaves(body.get("spec", {}), ".spec"):
            self.known.owners[key][path] = manager
        return self.known.store(key, merged(self._there(key), body))
