"""What the server knows of the request in hand: its id, its deadline, its trace, how long each stage took.

A call begins at the edge of a transport and is found by whatever runs in its task; threads are handed what they need.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from serving import trace
from serving.errors import DeadlineExceeded
from serving.timeline import Timeline
from serving.trace import TRACEPARENT, TRACESTATE, Trace

REQUEST_ID = "x-request-id"
MODEL_VERSION, REVISION = "model-version", "revision"
"""In the trailing metadata of a refusal over gRPC, whose answers have no parameters."""

CLIENT_GONE = "client_gone"
"""The code of a call whose client left before it had its answer."""

FINGERPRINT = "x-fingerprint"
"""On every REST answer of a model, of which those of V1 and the plain doors have no parameters to put it in."""

_REQUEST_ID = re.compile(r"[!-~]{1,128}")


@dataclass(slots=True)
class Call:
    """One request. `deadline` is monotonic seconds; `stages` maps a stage's name to its milliseconds.

    Stages do not overlap, so together they are at most the request's time. `fingerprint` is that of the answer,
    `named_classes` are those in it, over all images. `trace` is there when it is kept.
    """

    id: str
    traceparent: str
    tracestate: str
    deadline: float
    started: float
    trace: Trace | None = None
    model_name: str = ""
    model_version: str = ""
    fingerprint: str = ""
    error_code: str = ""
    images: int = 1
    named_classes: int = 0
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def remaining_seconds(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def exemplar(self) -> dict[str, str] | None:
        """What a histogram notes beside a value of this call: its trace, where one is kept."""
        return self.trace.exemplar if self.trace else None

    @property
    def trace_context(self) -> tuple[tuple[str, str], ...]:
        """Headers, or metadata, for a server that is asked for this call."""
        parent = (TRACEPARENT, self.trace.told() if self.trace else self.traceparent)
        return (parent, (TRACESTATE, self.tracestate)) if self.tracestate else (parent,)

    @property
    def elapsed_ms(self) -> float:
        return (time.monotonic() - self.started) * 1000

    def check_deadline(self) -> None:
        """Raise DeadlineExceeded when the time is over: called before work that nobody would wait for."""
        if self.remaining_seconds <= 0:
            raise DeadlineExceeded("the request's deadline is over")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the stage."""
        started, failed = time.monotonic(), True
        try:
            yield
            failed = False
        finally:
            self.note(name, started, time.monotonic(), failed=failed)

    def note(self, name: str, started: float, ended: float, *, failed: bool = False) -> None:
        """Add work that is over to the stage."""
        self._add(name, (ended - started) * 1000)
        if self.trace:
            self.trace.add(name, started, ended, failed=failed)

    @contextmanager
    def overlapping(self, *names: str) -> Iterator[Timeline]:
        """Add work that goes on side by side, in threads too; each moment to the first of the stages that it is of."""
        timeline = Timeline(*names)
        try:
            yield timeline
        finally:
            for name, ms in timeline.shares_ms().items():
                self._add(name, ms)
            if self.trace:
                for piece in timeline.pieces():
                    self.trace.add(*piece)

    def _add(self, name: str, ms: float) -> None:
        self.stages[name] = self.stages.get(name, 0.0) + ms


_current: ContextVar[Call] = ContextVar("call")


def begin(headers: Mapping[str, str], timeout_seconds: float, trace_share: float | None = None) -> Call:
    """Start a call for this task, from HTTP headers or gRPC metadata with lower-case names.

    A sensible `x-request-id` and a valid W3C `traceparent` are kept, others are replaced by new ones. `trace_share` of
    the traces that begin here are sampled; without it none, and nothing is noted of those that were sampled before.
    """
    started = time.monotonic()
    given = _kept(headers.get(TRACEPARENT), trace.VALID_PARENT)
    call = Call(
        id=_kept(headers.get(REQUEST_ID), _REQUEST_ID) or secrets.token_hex(16),
        traceparent=given or trace.begun(trace_share or 0),
        tracestate=(given and _kept(headers.get(TRACESTATE), trace.VALID_STATE)) or "",
        deadline=started + timeout_seconds,
        started=started,
    )
    if trace_share is not None and trace.sampled(call.traceparent):
        call.trace = Trace.continuing(given, call.tracestate) if given else Trace.beginning(call.traceparent)
    _current.set(call)
    return call


def current() -> Call:
    """The call of this task; raises LookupError outside of one."""
    return _current.get()


def _kept(value: str | None, pattern: re.Pattern[str]) -> str | None:
    return value if value is not None and pattern.fullmatch(value) else None
