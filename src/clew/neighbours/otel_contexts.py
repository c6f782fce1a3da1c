"""OpenTelemetry's current context, and what clew gives to it of the request in hand."""

from __future__ import annotations

import opentelemetry.context
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context.context import Context, _RuntimeContext

from clew import wire
from clew.correlation import Correlation, current
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token

_GIVEN = opentelemetry.context.create_key("clew")
_baggage = W3CBaggagePropagator()


def join() -> None:
    """Give what is in hand to the contexts, from here on."""
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    if not isinstance(runtime, _Contexts):
        opentelemetry.context._RUNTIME_CONTEXT = _Contexts(runtime)


def part() -> None:
    """Give nothing any more."""
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    if isinstance(runtime, _Contexts):
        opentelemetry.context._RUNTIME_CONTEXT = runtime.wrapped


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
            made = with_remote(context, correlation)
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


def with_remote(context: Context, correlation: Correlation) -> Context:
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


def own_context() -> Context | None:
    """The current context without what clew gives it; None where the two are not joined."""
    runtime = opentelemetry.context._RUNTIME_CONTEXT
    return runtime.wrapped.get_current() if isinstance(runtime, _Contexts) else None


def span_in(context: Context | None) -> trace.SpanContext | None:
    """The span that somebody made current in ``context``: not the one that clew gave it."""
    if context is None:
        return None
    span, given = trace.get_current_span(context), given_in(context)
    ours = given is not None and trace.get_current_span(given) is span
    found = span.get_span_context()
    return found if found.is_valid and not ours else None


def given_in(context: Context) -> Context | None:
    """What clew gave to ``context``, or None."""
    given = context.get(_GIVEN)
    return given.remote if isinstance(given, _Given) else None
