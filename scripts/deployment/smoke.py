"""One request to a service that was deployed, by the way its clients come."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from pydantic import ValidationError

from scripts.answer import Answer
from scripts.deployment.exchange import Document
from scripts.errors import RunError

REQUEST_SECONDS = 60
SETTLE_SECONDS = 60.0
POLL_SECONDS = 1.0
SHOWN_CHARACTERS = 300

UNSETTLED = frozenset({404, 502, 503, 504})
"""What an ingress answers that has not heard of the service yet."""


@dataclass(frozen=True)
class Smoke:
    """`url` replaces the address of the service, whose name then stands in Host; `headers` are for the ingress."""

    photo: Path
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    settle_seconds: float = SETTLE_SECONDS
    poll_seconds: float = POLL_SECONDS

    def test(self, service: Document) -> str:
        """What the service answered, for a person to read; raises RunError when it does not serve."""
        with self._client(service) as client:
            if "transformer" in service["spec"]:
                return self._classified(client)
            return self._ready(client, service["metadata"]["name"])

    def _client(self, service: Document) -> httpx.Client:
        public = (service.get("status") or {}).get("url")
        if not public:
            raise RunError(f"smoke test: expected a status.url of {service['metadata']['name']}, found none")
        host = {"host": httpx.URL(public).netloc.decode()} if self.url else {}
        return httpx.Client(base_url=self.url or public, headers=host | dict(self.headers), timeout=REQUEST_SECONDS)

    def _classified(self, client: httpx.Client) -> str:
        upload = {"file": (self.photo.name, self.photo.read_bytes())}
        response = self._answer(partial(client.post, "/predict", files=upload))
        try:
            answer = Answer.model_validate_json(response.content)
            return answer.table(str(self.photo), response.elapsed.total_seconds() * 1000)
        except ValidationError as error:
            raise RunError(f"smoke test: expected predictions, got {_shortened(response.text)}") from error

    def _ready(self, client: httpx.Client, name: str) -> str:
        for path in ("/v2/health/ready", f"/v2/models/{name}/ready"):
            self._answer(partial(client.get, path))
        return f"{name} is ready"

    def _answer(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer with status 200, once the ingress knows the way."""
        end = time.monotonic() + self.settle_seconds
        while True:
            found = _tried(ask)
            if isinstance(found, httpx.Response) and found.status_code == httpx.codes.OK:
                return found
            if time.monotonic() >= end or not _may_settle(found):
                raise RunError(f"smoke test: {_told(found)}")
            time.sleep(self.poll_seconds)


def _tried(ask: Callable[[], httpx.Response]) -> httpx.Response | httpx.TransportError:
    try:
        return ask()
    except httpx.TransportError as error:
        return error


def _may_settle(found: httpx.Response | httpx.TransportError) -> bool:
    return isinstance(found, httpx.TransportError) or found.status_code in UNSETTLED


def _told(found: httpx.Response | httpx.TransportError) -> str:
    if isinstance(found, httpx.TransportError):
        return f"expected an answer from {found.request.url}, got none: {found!r}; --url names another address"
    return f"expected status 200 from {found.request.url}, got {found.status_code}: {_shortened(found.text)}"


def _shortened(text: str) -> str:
    """On one line: proxies answer with pages."""
    return " ".join(text.split())[:SHOWN_CHARACTERS]
