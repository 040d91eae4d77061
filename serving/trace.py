"""The trace of a request, as W3C Trace Context has it, and what is noted of one that is kept.

https://www.w3.org/TR/trace-context/
"""

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import NamedTuple, Self

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

VALID_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
VALID_STATE = re.compile(r"[ -~]{1,512}")

_SAMPLED = 0x01


def begun(share: float) -> str:
    """The traceparent of a trace that begins here; such a share of them is sampled, by the id as others decide it."""
    trace_id = secrets.token_hex(16)
    sampled = int(trace_id[16:], 16) < round(share * 2**64)
    return f"00-{trace_id}-{_new_span_id()}-{_SAMPLED if sampled else 0:02x}"


def sampled(traceparent: str) -> bool:
    return bool(int(traceparent[-2:], 16) & _SAMPLED)


class Span(NamedTuple):
    """A piece of work, from and until in monotonic seconds; `asked`: another server was told of it by its id."""

    name: str
    id: str
    started: float
    ended: float
    asked: bool
    failed: bool


@dataclass(slots=True)
class Trace:
    """A trace that is kept: `span_id` is the request's own here, `parent_id` that of who asked, if there is one."""

    id: str
    span_id: str
    parent_id: str
    flags: str
    state: str
    spans: list[Span] = field(default_factory=list)
    epoch_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    _told: str = ""

    @classmethod
    def beginning(cls, traceparent: str) -> Self:
        """Of a traceparent that was begun here."""
        _, trace_id, span_id, flags = traceparent.split("-")
        return cls(trace_id, span_id, "", flags, "")

    @classmethod
    def continuing(cls, traceparent: str, state: str) -> Self:
        """Of a traceparent that came with the request."""
        _, trace_id, parent_id, flags = traceparent.split("-")
        return cls(trace_id, _new_span_id(), parent_id, flags, state)

    @property
    def exemplar(self) -> dict[str, str]:
        return {"trace_id": self.id, "span_id": self.span_id}

    def told(self) -> str:
        """The traceparent for a server that is asked now: its parent is the work that is added next."""
        self._told = self._told or _new_span_id()
        return f"00-{self.id}-{self._told}-{self.flags}"

    def add(self, name: str, started: float, ended: float, *, failed: bool = False) -> None:
        """Note work that is over."""
        asked = bool(self._told)
        self.spans.append(Span(name, self._told or _new_span_id(), started, ended, asked, failed))
        self._told = ""

    def wall_ns(self, seconds: float) -> int:
        """Nanoseconds of the epoch for monotonic seconds."""
        return int(seconds * 1e9) + self.epoch_ns


def _new_span_id() -> str:
    return secrets.token_hex(8)
