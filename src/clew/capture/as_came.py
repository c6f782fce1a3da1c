"""Contexts that mean what they say: `clew.wire.check` would change nothing in them.

Nearly all are, for clew wrote them. It is told in a few passes over long texts, at a fraction of
the check's price; what is special in any way is left to the check.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote

from clew import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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

    __slots__ = ("members", "names", "room")

    def __init__(self, ids: list[str], others: list[str], *, in_order: bool) -> None:
        order = [wire.ID, *ids, *others]
        #: The names of the fields in the order that a receive gives them; empty where a context
        #: has them in that order.
        self.names = [] if in_order else order
        #: Characters that all values may have together: no limit counts more than that.
        self.room = wire.MAX_TOTAL - wire.ROOM_KEPT - sum(map(len, order))
        #: The fields as members of JSON, with a place for each value.
        self.members = ",".join([f'"{name}":"%s"' for name in order])


#: Shapes by their names; None where such a context needs the check.
_shapes: dict[tuple[str, ...], _Shape | None] = {}
_MAX_SHAPES = 64


def received(
    context: dict[str, Any], *, is_told: bool
) -> tuple[dict[str, str], tuple[str, str, str], str] | None:
    """What a receive makes of ``context``: its fields, what the ``traceparent`` says, and the
    fields as members of JSON.

    ``is_told`` says that it was among the contexts that `told_by` knew. None where a check is
    needed, where the ``traceparent`` is not there, and where the decision to log at DEBUG is not
    against it, as it may need a signature. May raise where a value is no text.
    """
    names = tuple(context)
    shape = _shapes[names] if names in _shapes else _new_shape(names)
    if shape is None:
        return None
    fields = context.copy()
    traceparent = fields.pop(wire.TRACEPARENT)
    if not is_told and not _are_traceparents([traceparent]):
        return None
    values = fields.values()
    text = "".join(values)
    chain = fields[wire.CHAIN]
    if (
        len(quote(text)) != len(text) + 2  # it has quotes or backslashes, or is not printable ASCII
        or "\x7f" in text
        or len(text) > shape.room
        or (len(text) > wire.MAX_VALUE and len(max(values, key=len)) > wire.MAX_VALUE)
        or fields[wire.DEBUG] != "false"
        or not chain.isdecimal()
        or len(chain) > wire.CHAIN_DIGITS
    ):
        return None
    fields[wire.CHAIN] = str(min(int(chain) + 1, wire.MAX_CHAIN))
    if shape.names:
        fields = {name: fields[name] for name in shape.names}
    members = shape.members % (*fields.values(),)
    if '""' in members or ':" ' in members or ' "' in members:  # empty, or a space around it
        return None
    return fields, (traceparent[3:35], traceparent[36:52], traceparent[53:]), members


def _new_shape(names: tuple[str, ...]) -> _Shape | None:
    ids = [name for name in names if name.startswith(wire.PREFIX) and name != wire.ID]
    others = [name for name in (wire.DEBUG, wire.USER_AGENT, wire.CHAIN) if name in names]
    order = [wire.ID, *ids, *others, wire.TRACEPARENT]
    shape = None
    if (
        {wire.DEBUG, wire.CHAIN, *names} == {*order}
        and len(ids) < wire.MAX_IDS
        and all(map(wire.is_name, ids))
    ):
        shape = _Shape(ids, others, in_order=[*names] == order)
    if len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()
    if len(names) <= wire.MAX_IDS:
        _shapes[names] = shape
    return shape
