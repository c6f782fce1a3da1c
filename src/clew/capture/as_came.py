"""Contexts that mean what they say: `clew.wire.check` would change nothing in them.

Nearly all are, for clew wrote them. It is told in a few passes over long texts, at a fraction of
the check's price; what is special in any way is left to the check.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote
from operator import itemgetter

from clew import wire
from clew.capture.receive import own_xray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Invocation

#: W3C Trace Context, "traceparent header": of version 00, the only one there is.
_TRACEPARENT = 55
_DASHES = (2, 35, 52)
_NONE = "0" * 16


class Told:
    """What several contexts mean that mean what they say: their ids and ``traceparent`` headers.

    `wire.check` of each gives this very id, and the trace, the parent and the flags that the
    header names. In JSON all of them stand as they are.
    """

    __slots__ = ("ids", "traceparents")

    def __init__(self, ids: list[str], traceparents: list[str]) -> None:
        self.ids = ids
        self.traceparents = traceparents


def told_by(contexts: list[Any]) -> Told | None:
    """What ``contexts`` mean, unless one of them has to be checked. Never raises."""
    try:
        names: set[str] = set().union(*contexts)
        if any(name != name.lower() for name in names):  # of two that differ by it, the last counts
            return None
        if wire.TRACESTATE in names and any(map(_may_name_parent, contexts)):
            return None
        ids = [context[wire.ID] for context in contexts]
        traceparents = [context[wire.TRACEPARENT] for context in contexts]
        plain = _are_ids(ids) and _are_traceparents(traceparents)
    except (AttributeError, KeyError, TypeError):  # one is no context, or its values are no text
        return None
    return Told(ids, traceparents) if plain else None


def _may_name_parent(context: dict[str, Any]) -> bool:
    """Whether the state may name another parent than the ``traceparent``."""
    return wire.MEMBER in str(context.get(wire.TRACESTATE))


def _are_ids(ids: list[str]) -> bool:
    text = "".join(ids)
    return (
        all(ids)
        and len(max(ids, key=len)) <= wire.MAX_VALUE
        and text.isascii()
        and text.isprintable()
        and " " not in text  # which the check takes off around an id
        and '"' not in text
        and "\\" not in text
    )


def _are_traceparents(traceparents: list[str]) -> bool:
    text, count = "".join(traceparents), len(traceparents)
    digits = text.replace("-", "")
    return (
        {*map(len, traceparents)} == {_TRACEPARENT}
        and all(text[at::_TRACEPARENT] == "-" * count for at in _DASHES)
        and text[::_TRACEPARENT] == text[1::_TRACEPARENT] == "0" * count
        and len(digits) == count * (_TRACEPARENT - len(_DASHES))
        and _NONE not in text  # neither a span nor a trace is all zeros; if in doubt, it is checked
        and _are_digits(digits)
    )


def _are_digits(text: str) -> bool:
    """Whether these are lower-case hex digits, an even number of them."""
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


class _Shape:
    """What contexts of the same names in the same order have in common."""

    __slots__ = ("line", "names", "others", "own", "room")

    def __init__(self, ids: list[str], *, agent: bool, in_order: bool) -> None:
        agents = [wire.USER_AGENT] if agent else []
        order = [wire.ID, *ids, wire.DEBUG, *agents, wire.CHAIN]
        #: The names of the fields in the order that a receive gives them; empty where a context
        #: has them in that order.
        self.names = [] if in_order else order
        #: Characters that values may have together: no limit counts more than that.
        self.room = wire.MAX_TOTAL - wire.ROOM_KEPT - sum(map(len, order))
        #: Takes the values out of a context that may be any text: without the id, and with it.
        own = [*ids, *agents]
        self.own = itemgetter(wire.DEBUG, wire.CHAIN, *own)
        self.others = itemgetter(wire.DEBUG, wire.CHAIN, wire.ID, *own)
        #: The members of a log line, with a place for each value.
        self.line = ",".join(
            [f'"{name}":"%s"' for name in (*order, "traceId", "spanId", "parentSpanId")]
        )


#: Shapes by their names; None where such a context needs the check.
_shapes: dict[tuple[str, ...], _Shape | None] = {}
_MAX_SHAPES = 64
#: The lengths of nearly all call chains, and what comes after each.
_NEXT = {str(length): str(length + 1) for length in range(100)}


def receive_as_came(
    context: object,
    invocation: Invocation | None,
    span_id: str,
    into: Correlation,
    *,
    is_told: bool = False,
) -> bool:
    """`clew.capture.receive.receive` of a context, at a third of the price. Never raises.

    ``is_told`` is as in `fields_of`. False where it has to be looked at more closely; ``into`` is
    then untouched.
    """
    fields = fields_of(context, is_told=is_told)
    if fields is None:
        return False
    into.fill(
        fields,
        context[wire.TRACEPARENT],  # type: ignore[index]
        span_id=span_id,
        xray_trace_id=own_xray(invocation)[0],
        invocation=invocation,
    )
    return True


def fields_of(context: object, *, is_told: bool) -> dict[str, str] | None:
    """The fields that a receive makes of ``context``; None where a check is needed.

    ``is_told`` says that it was among the contexts that `told_by` knew. A check is also needed
    where the ``traceparent`` is not there, and where the decision to log at DEBUG is not against
    it, as it may need a signature. Never raises.
    """
    shape = _shape_of(context, is_told=is_told)
    if shape is None:
        return None
    fields: dict[str, str] = context.copy()  # type: ignore[attr-defined]
    del fields[wire.TRACEPARENT]
    fields[wire.CHAIN] = _NEXT[fields[wire.CHAIN]]
    return {name: fields[name] for name in shape.names} if shape.names else fields


def line_of(context: object, span_id: str, xray_trace_id: str, *, is_told: bool) -> str | None:
    """What a log line has of the correlation that a receive makes, whose span is ``span_id``.

    As `fields_of`, without any object but the text; ``xray_trace_id`` is X-Ray's, or "".
    """
    shape = _shape_of(context, is_told=is_told)
    if shape is None:
        return None
    if shape.names:
        context = {name: context[name] for name in (*shape.names, wire.TRACEPARENT)}  # type: ignore[index]
    *values, length, traceparent = context.values()  # type: ignore[attr-defined]
    line = shape.line % (
        *values,
        _NEXT[length],
        traceparent[3:35],
        span_id,
        traceparent[36:52],
    )
    return f'{line},"xrayTraceId":"{xray_trace_id}"' if xray_trace_id else line


def _shape_of(context: object, *, is_told: bool) -> _Shape | None:
    """The shape of a context that means what it says."""
    if type(context) is not dict:
        return None
    try:
        shape = _shapes[tuple(context)]
    except KeyError:
        shape = _new_shape(tuple(context))
    if shape is None:
        return None
    values = shape.own(context) if is_told else shape.others(context)
    try:
        text = "".join(values)
    except TypeError:  # not all are text
        return None
    plain = (
        context[wire.DEBUG] == "false"
        and context[wire.CHAIN] in _NEXT
        and len(quote(text))
        == len(text) + 2  # it is printable ASCII, without quotes and backslashes
        and "\x7f" not in text
        and len(text) <= shape.room
        and (len(text) <= wire.MAX_VALUE or len(max(values, key=len)) <= wire.MAX_VALUE)
        and "" not in values
        and (" " not in text or (*map(str.strip, values),) == values)
        and (is_told or told_by([context]) is not None)
    )
    return shape if plain else None


def _new_shape(names: tuple[str, ...]) -> _Shape | None:
    ids = [name for name in names if name.startswith(wire.PREFIX) and name != wire.ID]
    agent = [wire.USER_AGENT] if wire.USER_AGENT in names else []
    order = [wire.ID, *ids, wire.DEBUG, *agent, wire.CHAIN, wire.TRACEPARENT]
    shape = None
    if {*names} == {*order} and len(ids) < wire.MAX_IDS and all(map(wire.is_name, ids)):
        shape = _Shape(ids, agent=bool(agent), in_order=[*names] == order)
    if len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()
    if len(names) <= wire.MAX_IDS:
        _shapes[names] = shape
    return shape
