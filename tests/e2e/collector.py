"""A collector of traces, on a free port of loopback: keeps every span that it is sent over OTLP."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Span:
    """One span as it came, and who sent it."""

    sender: Mapping[str, Any]
    message: Message

    @property
    def service(self) -> str:
        return str(self.sender["service.name"])

    @property
    def name(self) -> str:
        return self.message.name

    @property
    def kind(self) -> str:
        return Message.SpanKind.Name(self.message.kind).removeprefix("SPAN_KIND_")

    @property
    def id(self) -> str:
        return self.message.span_id.hex()

    @property
    def parent_id(self) -> str:
        return self.message.parent_span_id.hex()

    @property
    def trace_id(self) -> str:
        return self.message.trace_id.hex()

    @property
    def failed(self) -> bool:
        return self.message.status.code == self.message.status.STATUS_CODE_ERROR

    @property
    def attributes(self) -> dict[str, Any]:
        return _read(self.message.attributes)

    def within(self, other: "Span") -> bool:
        """Whether all of its time is the other's, too."""
        mine, its = self.message, other.message
        return bool(
            its.start_time_unix_nano <= mine.start_time_unix_nano <= mine.end_time_unix_nano <= its.end_time_unix_nano
        )


@dataclass
class Collector:
    """What came, in the order in which it came."""

    port: int
    spans: list[Span] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trace(self, trace_id: str, servers: int = 1) -> list[Span]:
        """The spans of a trace, once that many servers have sent theirs; a server's own span is its last."""
        return self._until(lambda span: span.trace_id == trace_id, servers)

    def trace_of(self, request_id: str) -> list[Span]:
        """The spans of the trace that a request began."""
        (own,) = self._until(lambda span: span.attributes.get("classifier.request_id") == request_id, 1)
        return self.trace(own.trace_id)

    def _until(self, wanted: Callable[[Span], bool], servers: int) -> list[Span]:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            found = [span for span in list(self.spans) if wanted(span)]
            if sum(span.kind == "SERVER" for span in found) >= servers:
                return found
            assert time.monotonic() < deadline, [(span.service, span.name) for span in found]
            time.sleep(0.02)

    def take(self, content: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
            sender = _read(resource.resource.attributes)
            self.spans += [Span(sender, message) for scope in resource.scope_spans for message in scope.spans]


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            if found := self.path == "/v1/traces":
                collector.take(content)
            self.send_response(200 if found else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    collector = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each) for each in attributes}


def _value(attribute: KeyValue) -> Any:
    kind = attribute.value.WhichOneof("value")
    return kind and getattr(attribute.value, kind)
