"""Traces that are kept go to a collector, over OTLP. Loads OpenTelemetry's SDK: imported only where an endpoint is set.

A request's spans are made when it is over, so that one whose trace is not kept costs nothing.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from serving import version
from serving.call import Call
from serving.outcome import OK, OUTCOMES
from serving.settings import ServerSettings
from serving.trace import Trace

logger = logging.getLogger(__name__)

_CLOSE_SECONDS = 2.0
"""How long a stop waits for a collector."""

Attributes = Mapping[str, str | int]


class Tracer:
    """Makes and sends the spans of requests; `share` of the traces that begin here are kept."""

    def __init__(self, settings: ServerSettings) -> None:
        self.share = settings.otel_traces_sampler_arg
        self._ids = _GivenIds()
        endpoint = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
        self._sender = BatchSpanProcessor(_Exporter(endpoint=endpoint))
        provider = TracerProvider(ALWAYS_ON, _resource(settings), shutdown_on_exit=False, id_generator=self._ids)
        provider.add_span_processor(self._sender)
        self._tracer = provider.get_tracer(__name__, version.VERSION)  # nobody else's: it is not set as the global one

    def record_http(self, call: Call, method: str, route: str, status: int, *, polled: bool) -> None:
        """A request over REST that is over; without an answer `status` is 0."""
        answered: Attributes = {"http.response.status_code": status} if status else {}
        asked = {"http.request.method": method, "http.route": route}
        self._record(call, f"{method} {route}", {**asked, **answered}, polled=polled)

    def record_rpc(self, call: Call, method: str, status: str, *, polled: bool) -> None:
        """A call over gRPC that is over; `method` is its full name."""
        attributes = {"rpc.system.name": "grpc", "rpc.method": method, "rpc.response.status_code": status}
        self._record(call, method, attributes, polled=polled)

    async def close(self) -> None:
        """Send what is left, if the collector takes it soon."""
        closing = threading.Thread(target=self._sender.shutdown, daemon=True)  # is left behind when it hangs
        closing.start()
        await asyncio.to_thread(closing.join, _CLOSE_SECONDS)
        if closing.is_alive():
            logger.warning("traces: the last ones could not be sent within %g s", _CLOSE_SECONDS)

    def _record(self, call: Call, name: str, attributes: Attributes, *, polled: bool) -> None:
        """What probes and scrapers repeat begins no trace, but is part of one that it came with."""
        trace = call.trace
        if trace is None or (polled and not trace.parent_id):
            return
        failed = OUTCOMES[call.error_code or OK] == "server_error"
        parent = NonRecordingSpan(_parent(trace)) if trace.parent_id else None
        own = self._begun(
            trace, trace.span_id, name, call.started, parent, SpanKind.SERVER, _described(call, attributes)
        )
        for span in trace.spans:
            kind = SpanKind.CLIENT if span.asked else SpanKind.INTERNAL
            stage = self._begun(trace, span.id, span.name, span.started, own, kind)
            _end(stage, trace.wall_ns(span.ended), failed=failed and span.failed)
        _end(own, trace.wall_ns(call.started + call.elapsed_ms / 1000), failed=failed)

    def _begun(
        self,
        trace: Trace,
        span_id: str,
        name: str,
        started: float,
        parent: Span | None,
        kind: SpanKind,
        attributes: Attributes | None = None,
    ) -> Span:
        self._ids.trace_id, self._ids.span_id = int(trace.id, 16), int(span_id, 16)
        context = set_span_in_context(parent) if parent else None
        return self._tracer.start_span(name, context, kind, attributes, start_time=trace.wall_ns(started))


class _GivenIds(IdGenerator):
    """Ids that were known, and sent on, before their span was made."""

    trace_id = span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _Exporter(OTLPSpanExporter):
    """Says once that the collector is away and once that it is back; the SDK would with every batch."""

    _away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            logger.warning("traces: the collector does not take them, they are lost until it does")
        if self._away and not away:
            logger.info("traces: the collector takes them again")
        self._away = away
        return result


def _parent(trace: Trace) -> SpanContext:
    flags, state = TraceFlags(int(trace.flags, 16)), TraceState.from_header([trace.state])
    return SpanContext(
        int(trace.id, 16), int(trace.parent_id, 16), is_remote=True, trace_flags=flags, trace_state=state
    )


def _described(call: Call, attributes: Attributes) -> Attributes:
    """With what the log says of the request, too."""
    told = {
        "classifier.request_id": call.id,
        "classifier.model": call.model_name,
        "classifier.model_version": call.model_version,
        "error.type": call.error_code,
    }
    return {**attributes, **{name: value for name, value in told.items() if value}}


def _end(span: Span, ended_ns: int, *, failed: bool) -> None:
    if failed:
        span.set_status(StatusCode.ERROR)
    span.end(ended_ns)


def _resource(settings: ServerSettings) -> Resource:
    """Who sends; besides, OTEL_RESOURCE_ATTRIBUTES."""
    name = settings.otel_service_name or f"image-classifier-{settings.component}"
    revision = {"classifier.revision": settings.revision} if settings.revision else {}
    return Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version.VERSION, **revision})
