"""Waiting until services are ready, and telling a person what they are waiting for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scripts.deployment.cluster import Cluster, title
from scripts.deployment.exchange import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, ClusterError, Document
from scripts.deployment.inference_service import is_ready
from scripts.errors import RunError

POLL_SECONDS = 2.0
FINAL = (UNAUTHORIZED, FORBIDDEN, NOT_FOUND)
"""Answers of the API server that no waiting changes."""

HOPELESS = ("InvalidSpec",)
"""States of a model's transition that no waiting changes."""

Tell = Callable[[str], None]
Reached = Callable[[Document], bool]


@dataclass
class Watch:
    """One object on its way to readiness, as it was applied, and what was last told of it."""

    document: Document
    reached: Reached
    told: dict[str, str] = field(default_factory=dict)
    current: Document = field(default_factory=dict)

    def see(self, current: Document, tell: Tell) -> None:
        """Take over what the server says now, and tell what is new."""
        self.current = current
        for kind, text in self._lines().items():
            self.say(kind, text, tell)

    def say(self, kind: str, text: str, tell: Tell) -> None:
        """Tell it, unless it was the last that was told of this `kind` of thing."""
        if self.told.get(kind) != text:
            tell(f"{title(self.document)}: {text}")
            self.told[kind] = text

    @property
    def status(self) -> Document:
        """As the controller wrote it last."""
        return self.current.get("status") or {}

    @property
    def seen(self) -> bool:
        """Whether the status is that of what was applied; a controller that tells no generation is believed."""
        generation = self.document["metadata"].get("generation", 0)
        return bool(self.status.get("observedGeneration", generation) >= generation)

    @property
    def ready(self) -> bool:
        """The controller has done what was applied."""
        return self.seen and self.reached(self.current)

    @property
    def hopeless(self) -> bool:
        """Whether it will never be ready as it is."""
        return self.seen and self._model().get("transitionStatus") in HOPELESS

    @property
    def lacking(self) -> str:
        """The conditions that are not true, with their reasons."""
        conditions = self.status.get("conditions") or []
        if not conditions:
            return "no conditions yet (does KServe's controller run?)"
        texts = [_text(condition) for condition in conditions if condition["status"] != "True"]
        failure = _failure(self._model())
        return "; ".join([*texts, *([failure] if failure else [])]) or "its newest revision or its traffic is not there"

    def _lines(self) -> dict[str, str]:
        lines = {condition["type"]: _text(condition) for condition in self.status.get("conditions") or []}
        failure = _failure(self._model())
        return lines | {"model": failure} if failure else lines

    def _model(self) -> Document:
        return self.status.get("modelStatus") or {}


def wait_ready(
    cluster: Cluster,
    applied: Sequence[Document],
    timeout_seconds: float,
    poll_seconds: float = POLL_SECONDS,
    reached: Reached = is_ready,
) -> list[Document]:
    """The objects once each has `reached` it; raises RunError that names the conditions that are not true."""
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {text}", flush=True)

    watches = [Watch(document, reached) for document in applied]
    while True:
        for watch in watches:
            _look(cluster, watch, tell)
        if all(watch.ready for watch in watches):
            return [watch.current for watch in watches]
        _give_up(watches, time.monotonic() - started, timeout_seconds)
        time.sleep(poll_seconds)


def _look(cluster: Cluster, watch: Watch, tell: Tell) -> None:
    """At the object as it is now; a server that has no answer may have one later."""
    try:
        current = cluster.current(watch.document)
    except ClusterError as error:
        if error.status in FINAL:
            raise
        watch.say("server", f"the API server did not answer, asking again: {error}", tell)
        return
    if current is None:
        raise RunError(f"{title(watch.document)}: expected it to become ready, found it deleted")
    watch.see(current, tell)


def _give_up(watches: Sequence[Watch], elapsed_seconds: float, timeout_seconds: float) -> None:
    waiting = [watch for watch in watches if not watch.ready]
    hopeless = [watch for watch in waiting if watch.hopeless]
    if hopeless:
        raise RunError("\n".join(f"{title(watch.document)}: never ready: {watch.lacking}" for watch in hopeless))
    if elapsed_seconds >= timeout_seconds:
        raise RunError(
            "\n".join(
                f"{title(watch.document)}: not ready after {timeout_seconds:g} s: {watch.lacking}" for watch in waiting
            )
        )


def _text(condition: Document) -> str:
    """Such as `PredictorReady False (RevisionMissing: Configuration … is waiting)`."""
    why = ": ".join(" ".join(condition[key].split()) for key in ("reason", "message") if condition.get(key))
    return f"{condition['type']} {condition['status']}" + (f" ({why})" if why else "")


def _failure(model: Document) -> str:
    failure = model.get("lastFailureInfo") or {}
    why = ": ".join(" ".join(failure[key].split()) for key in ("reason", "message") if failure.get(key))
    return f"the model failed ({why})" if why else ""
