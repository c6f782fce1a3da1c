"""OpenTelemetry in the same function: one trace, seen by both.

Joined by `clew.instrument` (the handlers call it) as soon as the user's code has imported
``opentelemetry``. From then on:

- Where no span is current, OpenTelemetry takes the request in hand for its context: a span that is
  started then is a child of the sender's span. At the edge it is a root with clew's trace id, and
  whether it is sampled is the sampler's to say. The ``baggage`` that came in is the context's.
- Where a span is current, what goes out has its trace id, its span id and the context's baggage.
  Which of the sends during that span it was stands in the ``tracestate`` (`clew.wire.with_send`).
- Where both hook a client, one ``traceparent`` goes out: that of the client's span.
"""

from __future__ import annotations

import sys

from opentelemetry.context.context import Context

from clew.correlation import Correlation, current
from clew.forward.patching import replace, restore
from clew.log.internal import failed
from clew.neighbours import otel_contexts
from clew.neighbours.otel_sends import edge_trace, injecting, outbound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["context_of", "event_context", "hook", "outbound", "trace_in_hand", "unhook"]


def context_of(correlation: Correlation | None = None) -> Context:
    """OpenTelemetry's context of ``correlation``, or of the one in force.

    For one record of a batch, while a span of the whole batch is current:
    ``tracer.start_as_current_span("each", context=context_of(record.correlation))``. Where the
    sender had no span, that span is a root.
    """
    return otel_contexts.with_remote(Context(), current() if correlation is None else correlation)


def event_context(event: object) -> Context:
    """OpenTelemetry's context of what came in with a Lambda event, of any source. Never raises.

    Made for ``AwsLambdaInstrumentor().instrument(event_context_extractor=event_context)``: its
    span of the invocation then hangs under the sender's. A batch of several records has no one
    sender, and an empty context.

    >>> event_context({"Records": []})
    {}
    """
    from clew.capture import capture

    try:
        return context_of(capture(event).correlation)
    except Exception:  # noqa: BLE001  (an event of any shape may come in)
        failed("reading the context of an event")
        return Context()


def hook() -> None:
    """Join the two; called when one of the modules that it takes was imported."""
    otel_contexts.join()
    for owner, method, make in _patches():
        replace(owner, method, make)


def unhook() -> None:
    """Leave each to itself again."""
    otel_contexts.part()
    for owner, method, _ in _patches():
        restore(owner, method)


def _patches() -> list[tuple[type, str, Callable[[Any], Any]]]:
    """Those of OpenTelemetry's classes that are imported, with the method to replace."""
    wanted = (
        (
            "opentelemetry.sdk.trace.id_generator",
            "RandomIdGenerator",
            "generate_trace_id",
            edge_trace,
        ),
        (
            "opentelemetry.trace.propagation.tracecontext",
            "TraceContextTextMapPropagator",
            "inject",
            injecting,
        ),
    )
    return [
        (getattr(sys.modules[module], owner), method, make)
        for module, owner, method, make in wanted
        if module in sys.modules
    ]


def trace_in_hand() -> tuple[str, str]:
    """(trace id, flags) of the span that is current, or ("", "")."""
    span = otel_contexts.span_in(otel_contexts.own_context())
    return (f"{span.trace_id:032x}", f"{span.trace_flags:02x}") if span is not None else ("", "")
