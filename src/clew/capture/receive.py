"""From what came in to the correlation in force: fill in what the first function decides."""

from __future__ import annotations

import os
import sys

from clew import wire
from clew.correlation import Correlation, new_span_id, new_trace_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.invocation import Invocation
    from clew.wire import Inbound


def fallback_id(edge_id: str, index: int | None = None) -> str:
    """The id of a request that came without one.

    ``edge_id`` is the API Gateway or Lambda request id; a batch's records are told apart by their
    ``index``. Random (32 hex digits) where there is neither.
    """
    base = edge_id if wire.is_value(edge_id, wire.MAX_VALUE - 8) else new_trace_id()
    return base if index is None else f"{base}-{index}"


def receive(
    inbound: Inbound,
    own_id: str,
    invocation: Invocation | None,
    debug_sample_rate: float = 0.0,
    *,
    span_id: str = "",
    into: Correlation | None = None,
) -> Correlation:
    """The correlation of one receive.

    ``own_id`` becomes the id where none came in; ``debug_sample_rate`` (0 to 1) is the share of
    call chains to log at DEBUG, asked only where no decision came in; ``span_id`` names the
    receive, if it has a name already; ``into`` is the one to make, where it is pending.
    """
    came = inbound.fields
    fields = {wire.ID: came.get(wire.ID) or own_id}
    fields |= {name: value for name, value in came.items() if name not in _DECIDED}
    decision, signature = _decision(inbound)
    fields[wire.DEBUG] = decision or ("true" if sampled(debug_sample_rate) else "false")
    if wire.USER_AGENT in came:
        fields[wire.USER_AGENT] = came[wire.USER_AGENT]
    length = came.get(wire.CHAIN)
    fields[wire.CHAIN] = "1" if length is None else str(min(int(length) + 1, wire.MAX_CHAIN))
    root, xray_sampled = _xray(inbound.xray, invocation)
    around, around_flags = ("", "") if inbound.trace_id else _trace_in_hand()
    trace_id = inbound.trace_id or around or wire.xray_to_trace_id(root)
    if not trace_id and not span_id:
        both = os.urandom(24).hex()  # at once, as each call asks the kernel
        trace_id, span_id = both[16:], both[:16]
    correlation = Correlation.__new__(Correlation) if into is None else into
    Correlation.__init__(
        correlation,
        fields,
        trace_id=trace_id or new_trace_id(),
        span_id=span_id or new_span_id(),
        parent_span_id=inbound.parent_span_id,
        trace_flags=inbound.trace_flags or around_flags or xray_sampled or "01",
        tracestate=inbound.tracestate,
        baggage=inbound.baggage,
        remote_span_id=inbound.remote_span_id,
        xray_trace_id=root,
        debug_signature=signature,
        invocation=invocation,
    )
    return correlation


def _decision(inbound: Inbound) -> tuple[str, str]:
    """The DEBUG decision that came in, if it counts, and its signature.

    Where there is no secret, a signature is passed on for those further down that have one.
    """
    decision = inbound.fields.get(wire.DEBUG, "")
    if decision != "true":
        return decision, ""
    if os.environ.get("CLEW_SECRET"):
        from clew.trust import is_valid

        if not is_valid(inbound.signature, inbound.fields.get(wire.ID, "")):
            inbound.dropped += 1
            return "", ""
    return decision, inbound.signature


#: The fields that have a place of their own among those of a correlation.
_DECIDED = frozenset((wire.ID, wire.DEBUG, wire.USER_AGENT, wire.CHAIN))


def _xray(came: str, invocation: Invocation | None) -> tuple[str, str]:
    """X-Ray's root id and sampling decision: what came with this record, else the invocation's.

    Where both name one trace, Lambda's has the decision.
    """
    own = own_xray(invocation)
    found = wire.xray(came) if came else own
    return own if found[0] in ("", own[0]) else found


def own_xray(invocation: Invocation | None) -> tuple[str, str]:
    """X-Ray's root id and sampling decision, as Lambda has them for the invocation."""
    if invocation is None:
        return wire.xray(os.environ.get("_X_AMZN_TRACE_ID"))
    if invocation.xray is None:  # looked up once: a batch has many records
        invocation.xray = wire.xray(os.environ.get("_X_AMZN_TRACE_ID"))
    return invocation.xray


def _trace_in_hand() -> tuple[str, str]:
    """(trace id, flags) of the span that OpenTelemetry has around the handler, or ("", "")."""
    bridge = sys.modules.get("clew.neighbours.opentelemetry")
    if bridge is None:
        return "", ""
    found: tuple[str, str] = bridge.trace_in_hand()
    return found


def sampled(rate: float) -> bool:
    """True for a share of ``rate`` (0 to 1) of all calls, at random."""
    return rate > 0 and int.from_bytes(os.urandom(4), "big") < rate * 0x1_0000_0000
