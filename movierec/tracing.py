"""OpenTelemetry traces from a request through its tasks to MLflow. Imported only if settings.TRACING is on.

OpenTelemetry's variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_TIMEOUT, ...) configure it. A
thread sends the spans, so that no request or task waits for a collector.
"""

import os
from collections.abc import Sequence, Set
from threading import Thread
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status
from structlog.typing import EventDict

from movierec.logs import shown_path
from movierec.redaction import redact

END_SECONDS = 2.0  # maximum wait for spans to be sent when a process ends
BEFORE_SPAN = "movierec.api.error_shape"  # earlier middleware handles probes, so they have no span
BEATS_OWN = {"apply_async/mlops.beat_heartbeat", "run/mlops.beat_heartbeat"}
PATHS = ("http.target", "http.url", "url.path")
PERSONAL = {"url.query", "user_agent.original", "http.user_agent"} | {
    f"{of}.{what}" for of in ("net.peer", "network.peer", "client") for what in ("ip", "name", "address", "port")
}

_provider: TracerProvider | None = None


def ids_of_span(_: Any, __: str, event: EventDict) -> EventDict:
    """Add the ids of the current span to a log line. A processor of structlog."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.update(trace_id=f"{span.trace_id:032x}", span_id=f"{span.span_id:016x}")
    return event


def instrument_web() -> None:
    """Add the middleware that creates request spans. Call it before forks and before Django loads the middleware."""
    place = settings.MIDDLEWARE.index(BEFORE_SPAN) + 1
    DjangoInstrumentor().instrument(middleware_position=place, response_hook=_show_path)


def start() -> None:
    """Start sending spans. Call it after each fork, because threads do not survive a fork."""
    global _provider
    os.environ.setdefault("OTEL_SERVICE_NAME", "movierec")
    _provider = TracerProvider(shutdown_on_exit=False)
    _provider.sampler = _WithoutBeat(_provider.sampler)
    _provider.add_span_processor(BatchSpanProcessor(_Redacting()))
    trace.set_tracer_provider(_provider)
    CeleryInstrumentor().instrument()
    RequestsInstrumentor().instrument()


def end() -> None:
    """Send the remaining spans for at most END_SECONDS, so that a hanging collector does not delay the exit."""
    if _provider is not None:
        sending = Thread(target=_provider.shutdown, daemon=True)
        sending.start()
        sending.join(END_SECONDS)


def _show_path(span: Any, request: HttpRequest, response: HttpResponse) -> None:
    if span.is_recording():
        span.set_attributes({name: shown_path(request) for name in PATHS if name in span.attributes})


class _Redacting(OTLPSpanExporter):
    """Redacts all strings of a span, because exception messages may contain anything."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([_redacted(span) for span in spans])


def _redacted(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_hidden(span.attributes, PERSONAL if span.kind is SpanKind.SERVER else frozenset()),
        events=[Event(event.name, _hidden(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, redact(span.status.description or "") or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _hidden(attributes: Any, dropped: Set[str] = frozenset()) -> dict[str, Any]:
    kept = {name: value for name, value in (attributes or {}).items() if name not in dropped}
    return {name: redact(value) if isinstance(value, str) else value for name, value in kept.items()}


class _WithoutBeat(Sampler):
    """Drops the spans of Beat's heartbeat, which is sent every minute. OTEL_TRACES_SAMPLER applies to all others."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(self, parent_context: Context | None, trace_id: int, name: str, *more: Any) -> SamplingResult:
        if name in BEATS_OWN:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(parent_context, trace_id, name, *more)

    def get_description(self) -> str:
        return self._sampler.get_description()
