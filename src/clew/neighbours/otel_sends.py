"""What goes out while OpenTelemetry has a span or baggage in hand."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote

from opentelemetry import baggage as context_baggage
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator

from clew import wire
from clew.correlation import Correlation, current
from clew.forward.http_headers import in_hand
from clew.log.internal import failed
from clew.neighbours.otel_contexts import given_in, own_context, span_in, with_remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from opentelemetry.context.context import Context

    from clew.forward.http_headers import HttpSend

_baggage = W3CBaggagePropagator()
_SPAN = "?" * 16


def outbound(correlation: Correlation) -> Correlation:
    """``correlation`` as it goes out: under the span and with the baggage that are current."""
    own = own_context()
    if own is None:
        return correlation
    baggage = _baggage_in(with_remote(own, correlation), correlation)
    span = span_in(own)
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
            if name != "_source":  # which one that is made has no more
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


def _baggage_in(context: Context, correlation: Correlation) -> str:
    """The header of the baggage in ``context``: as it came, where nobody changed it."""
    given = given_in(context)
    came = context_baggage.get_all(given) if given is not None else None
    if came == context_baggage.get_all(context):
        return correlation.baggage
    carrier: dict[str, str] = {}
    _baggage.inject(carrier, context)
    return carrier.get(wire.BAGGAGE, "")


def edge_trace(original: Callable[..., int]) -> Callable[..., int]:
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


def injecting(original: Callable[..., None]) -> Callable[..., None]:
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
