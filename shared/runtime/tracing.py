"""W3C trace context through HTTP, the outbox and the broker. A late effect links to its cause, it is no child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("herald")


def configure_tracing() -> None:
    """Install the SDK so that spans have ids. Exporters are the operator's choice (OTEL_* variables)."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())


def current_traceparent() -> str | None:
    """The `traceparent` of the current span, to be stored inside an event."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def serving(name: str, traceparent: str | None) -> Iterator[None]:
    """A span for one HTTP request, child of the caller's where it sent one."""
    parent = _PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {})
    with _TRACER.start_as_current_span(name, context=parent, kind=trace.SpanKind.SERVER):
        yield


@contextmanager
def handling(event_type: str, traceparent: str | None) -> Iterator[None]:
    """A span for one message or one delivery: a trace of its own, linked to the act that caused it."""
    links: list[trace.Link] = []
    if traceparent:
        cause = trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent}))
        if cause.get_span_context().is_valid:
            links.append(trace.Link(cause.get_span_context()))
    with _TRACER.start_as_current_span(
        f"handle {event_type}", links=links, kind=trace.SpanKind.CONSUMER
    ):
        yield
