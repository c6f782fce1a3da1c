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
from json.encoder import encode_basestring_ascii as quote

import opentelemetry.context
from opentelemetry import baggage as context_baggage
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context.context import Context, _RuntimeContext

from clew import wire
from clew.correlation import Correlation, current
from clew.forward.http_headers import in_hand
from clew.forward.patching import replace, restore
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import Any

    from clew.forward.http_headers import HttpSend

_GIVEN = opentelemetry.context.create_key("clew")
_baggage = W3CBaggagePropagator()
_SPAN = "?" * 16


def context_of(correlation: Correlation | None = None) -> Context:
    """OpenTelemetry's context of ``correlation``, or of the one in force.

    For one record of a batch, while a span of the whole batch is current:
    ``tracer.start_as_current_span("each", context=context_of(record.correlation))``. Where the
    sender had no span, that span is a root.
    """
    return _with(Context(), current() if correlation is None else correlation)


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
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    if not isinstance(runtime, _Contexts):
        opentelemetry.context._RUNTIME_CONTEXT = _Contexts(runtime)
    for owner, method, make in _patches():
        replace(owner, method, make)


def unhook() -> None:
    """Leave each to itself again."""
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    if isinstance(runtime, _Contexts):
        opentelemetry.context._RUNTIME_CONTEXT = runtime.wrapped
    for owner, method, _ in _patches():
        restore(owner, method)


def _patches() -> list[tuple[type, str, Callable[[Any], Any]]]:
    """Those of OpenTelemetry's classes that are imported, with the method to replace."""
    wanted = (
        ("opentelemetry.sdk.trace.id_generator", "RandomIdGenerator", "generate_trace_id", _new_id),
        (
            "opentelemetry.trace.propagation.tracecontext",
            "TraceContextTextMapPropagator",
            "inject",
            _injecting,
        ),
    )
    return [
        (getattr(sys.modules[module], owner), method, make)
        for module, owner, method, make in wanted
        if module in sys.modules
    ]


def trace_in_hand() -> tuple[str, str]:
    """(trace id, flags) of the span that is current, or ("", "")."""
    span = _span_in(_own_context())
    return (f"{span.trace_id:032x}", f"{span.trace_flags:02x}") if span is not None else ("", "")


def outbound(correlation: Correlation) -> Correlation:
    """``correlation`` as it goes out: under the span and with the baggage that are current."""
    own = _own_context()
    if own is None:
        return correlation
    baggage = _baggage_in(_with(own, correlation), correlation)
    span = _span_in(own)
    if span is not None:
        return Outbound(correlation, span, baggage)
    if baggage == correlation.baggage:
        return correlation
    other = correlation.without_baggage()
    other.baggage = baggage
    return other


class Outbound(Correlation):
    """A correlation whose sends hang under a span of OpenTelemetry's."""

    __slots__ = ("_outer", "_settled")

    def __init__(self, settled: Correlation, span: trace.SpanContext, baggage: str) -> None:
        for name in Correlation.__slots__:
            setattr(self, name, getattr(settled, name))
        self._context = None  # the text of another trace
        self.trace_id = f"{span.trace_id:032x}"
        self.trace_flags = f"{span.trace_flags:02x}"
        self.tracestate = span.trace_state.to_header()
        self.baggage = baggage
        self._settled = settled
        self._outer = span

    def outgoing(self, span_id: str) -> dict[str, str]:
        """The fields of one send: under the outer span; the state says which send it was."""
        outer = f"{self._outer.span_id:016x}"
        fields = super().outgoing(outer)
        fields[wire.TRACESTATE] = wire.with_send(self.tracestate, span_id, outer)
        return fields

    def _trace_around_span(self) -> tuple[str, str]:
        fields = self.outgoing(_SPAN)
        before, _, after = quote(fields[wire.TRACESTATE]).partition(_SPAN)
        traceparent = f'"{wire.TRACEPARENT}":{quote(fields[wire.TRACEPARENT])}'
        return f'{traceparent},"{wire.TRACESTATE}":{before}', after

    def without_baggage(self) -> Correlation:
        """A copy without `baggage`."""
        return Outbound(self._settled, self._outer, "")

    def settled(self) -> Correlation:
        """The correlation itself: another call has another span around it."""
        return self._settled


class _Contexts(_RuntimeContext):
    """OpenTelemetry's contexts; to those without a span, that of the request in hand is given."""

    def __init__(self, wrapped: _RuntimeContext) -> None:
        self.wrapped = wrapped
        self._last: tuple[Context, Correlation, Context] | None = None

    def attach(self, context: Context) -> Token[Context]:
        return self.wrapped.attach(context)

    def detach(self, token: Token[Context]) -> None:
        self.wrapped.detach(token)

    def get_current(self) -> Context:
        context = self.wrapped.get_current()
        try:
            correlation, last = current(), self._last
            if last is not None and last[0] is context and last[1] is correlation:
                return last[2]
            made = _with(context, correlation)
            self._last = (context, correlation, made)
        except Exception:  # noqa: BLE001  (OpenTelemetry goes on as if clew were not there)
            failed("giving OpenTelemetry its context")
            return context
        return made


class _Given:
    """What a context was given, so that it can be taken from those that were made of it."""

    __slots__ = ("correlation", "remote")

    def __init__(self, correlation: Correlation, remote: Context) -> None:
        self.correlation = correlation
        self.remote = remote


def _with(context: Context, correlation: Correlation) -> Context:
    """``context`` with the sender's span and the baggage, as far as it has none of its own."""
    given = context.get(_GIVEN)
    if isinstance(given, _Given):
        if given.correlation is correlation:
            return context
        own = {
            key: value
            for key, value in context.items()
            if value is not given and given.remote.get(key) is not value
        }
        context = Context(own)
    remote = _remote(correlation) if correlation else {}
    if all(key in context for key in remote):
        return context
    return Context({**remote, **context, _GIVEN: _Given(correlation, Context(remote))})


def _remote(correlation: Correlation) -> Context:
    """What came with the request: the sender's span, if it had one, and the baggage."""
    context = Context()
    if correlation.baggage:
        context = _baggage.extract({wire.BAGGAGE: correlation.baggage}, context)
    parent = correlation.remote_span_id or correlation.parent_span_id
    if parent:
        sender = trace.SpanContext(
            int(correlation.trace_id, 16),
            int(parent, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(int(correlation.trace_flags, 16)),
            trace_state=trace.TraceState.from_header([correlation.tracestate]),
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(sender), context)
    return context


def _own_context() -> Context | None:
    """The current context without what clew gives it; None where the two are not joined."""
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    return runtime.wrapped.get_current() if isinstance(runtime, _Contexts) else None


def _span_in(context: Context | None) -> trace.SpanContext | None:
    """The span that somebody made current in ``context``: not the one that clew gave it."""
    if context is None:
        return None
    span, given = trace.get_current_span(context), context.get(_GIVEN)
    ours = isinstance(given, _Given) and trace.get_current_span(given.remote) is span
    found = span.get_span_context()
    return found if found.is_valid and not ours else None


def _baggage_in(context: Context, correlation: Correlation) -> str:
    """The header of the baggage in ``context``: as it came, where nobody changed it."""
    given = context.get(_GIVEN)
    came = context_baggage.get_all(given.remote) if isinstance(given, _Given) else None
    if came == context_baggage.get_all(context):
        return correlation.baggage
    carrier: dict[str, str] = {}
    _baggage.inject(carrier, context)
    return carrier.get(wire.BAGGAGE, "")


def _new_id(original: Callable[..., int]) -> Callable[..., int]:
    """A root span at the edge has the trace of the request that begins there."""

    def generate_trace_id(self: Any) -> int:
        try:
            correlation = current()
            # Where a span is current or came in, somebody asks for another trace on purpose.
            if correlation and not trace.get_current_span().get_span_context().is_valid:
                return int(correlation.trace_id, 16)
        except Exception:  # noqa: BLE001  (OpenTelemetry goes on as if clew were not there)
            failed("giving OpenTelemetry a trace id")
        return original(self)

    return generate_trace_id


def _injecting(original: Callable[..., None]) -> Callable[..., None]:
    """A client that both hook, clew first: OpenTelemetry puts its span in the place of ours."""

    def inject(self: Any, carrier: Any, *args: Any, **kwargs: Any) -> None:
        sending = _being_sent(carrier)
        original(self, carrier, *args, **kwargs)
        if sending is not None:
            sending.taken_over(_trace_in(carrier))

    return inject


def _being_sent(carrier: Any) -> HttpSend | None:
    """The request that clew is sending, if ``carrier`` has its headers."""
    try:
        sending = in_hand()
        if sending is None:
            return None
        found = wire.check(_trace_in(carrier))
    except Exception:  # noqa: BLE001  (a carrier of any type)
        return None
    return sending if found.parent_span_id and found.parent_span_id == sending.span_id else None


def _trace_in(carrier: Any) -> list[tuple[object, object]]:
    return [(name, carrier.get(name)) for name in (wire.TRACEPARENT, wire.TRACESTATE)]
