"""Items of DynamoDB in its own types, and the expressions that update them. Pure."""

from __future__ import annotations

import re

from clew import wire
from clew.forward.limits import length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.invocation import Sent

_NAME, _VALUE = "#clewContext", ":clewContext"
#: The keyword, and not a placeholder, a path or a name that has it in it.
_SET = re.compile(r"(?<![\w#:.\-])SET(?=\s)", re.IGNORECASE)
#: DynamoDB developer guide, "DynamoDB item sizes and formats": a list or a map costs 3 bytes, and
#: 1 for each member; a number at most 21.
_NESTED, _MEMBER, _NUMBER = 3, 1, 21


def context(sent: Sent, name: str) -> dict[str, Any]:
    """The fields of ``sent`` as a map; under the Node library's ``name``, as that writes them."""
    fields: dict[str, dict[str, str]] = {
        field: {"S": value} for field, value in sent.correlation.outgoing(sent.span_id).items()
    }
    if name != wire.CONTEXT:
        if wire.CHAIN in fields:
            fields[wire.CHAIN] = {"N": fields[wire.CHAIN]["S"]}
        fields = {wire.NODE_NAMES.get(field, field): value for field, value in fields.items()}
    return {"M": fields}


def context_in(item: dict[str, Any]) -> Any:
    """The context that ``item`` has already, or None."""
    return next((item[name] for name in wire.CONTEXT_ALIASES if name in item), None)


def pairs(present: Any) -> list[tuple[object, object]]:
    """(name, value) of the fields of a context in an item, in DynamoDB's types or Python's."""
    fields = present.get("M", present) if isinstance(present, dict) else {}
    return [
        (name, value.get("S", value.get("N")) if isinstance(value, dict) else value)
        for name, value in fields.items()
    ]


def span_in(item: dict[str, Any]) -> str:
    """The span that ``item`` carries, or ""."""
    return wire.check(pairs(context_in(item))).parent_span_id


def size(item: dict[str, Any]) -> int:
    """Bytes of an item: of its names and its values."""
    return sum(length(name) + _value_size(value) for name, value in item.items())


def _value_size(typed: dict[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "M":
        return _NESTED + size(value) + _MEMBER * len(value)
    if kind == "L":
        return _NESTED + sum(_value_size(one) + _MEMBER for one in value)
    if kind in ("SS", "BS"):
        return sum(length(one) for one in value)
    if kind in ("N", "NS"):
        return _NUMBER * (len(value) if kind == "NS" else 1)
    return length(value) if kind in ("S", "B") else 1


def with_update(update: dict[str, Any], name: str, value: dict[str, Any]) -> dict[str, Any] | None:
    """``update`` that also sets the attribute ``name``; None where it writes one of ours itself.

    The user's expression keeps every clause. An update in the older form (``AttributeUpdates``,
    or a condition in ``Expected``) stays in that form, as the two do not mix.
    """
    older = update.get("AttributeUpdates")
    if older is not None or "Expected" in update:
        if not set(wire.CONTEXT_ALIASES).isdisjoint(older or ()):
            return None
        one = {name: {"Value": value, "Action": "PUT"}}
        return {**update, "AttributeUpdates": {**(older or {}), **one}}
    names = update.get("ExpressionAttributeNames") or {}
    if not set(wire.CONTEXT_ALIASES).isdisjoint(names.values()) or _NAME in names:
        return None
    expression = update.get("UpdateExpression") or ""
    clause = f"SET {_NAME} = {_VALUE}"
    found = _SET.search(expression)
    if found is not None:
        expression = f"{expression[: found.start()]}{clause},{expression[found.end() :]}"
    else:
        expression = f"{clause} {expression}".rstrip()
    return {
        **update,
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {**names, _NAME: name},
        "ExpressionAttributeValues": {
            **(update.get("ExpressionAttributeValues") or {}),
            _VALUE: value,
        },
    }
