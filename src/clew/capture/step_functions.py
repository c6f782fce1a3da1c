"""Step Functions tasks: a context inside the input, also where the task wraps it.

A task whose input is the state's own has the context at the top of its event, and is read as a
direct invocation; nothing tells the two apart.
"""

from __future__ import annotations

from clew import payload, wire
from clew.capture import nested
from clew.capture.reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:states"
#: Where a task's parameters usually put the input (``"Input.$": "$"``), where the result of an
#: earlier Lambda task has its output, and where the context object (``$$``) has the execution's.
_PLACES: tuple[nested.Place, ...] = (
    ("Input",),
    ("Payload",),
    ("input",),
    ("payload",),
    ("Execution", "Input"),
)


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` wraps an input with a context, or is the context object."""
    return ("Execution" in event and "StateMachine" in event) or any(
        _carries(event, place) for place in _PLACES
    )


def read(event: dict[str, Any]) -> Reading:
    """The handler gets the event without the context. Of several the first in order counts."""
    found = [place for place in _PLACES if _carries(event, place)]
    context = nested.context_at(event, found[0]) if found else None
    return Reading(NAME, nested.without(event, found), pairs=payload.pairs(context))


def _carries(event: dict[str, Any], place: nested.Place) -> bool:
    value: Any = event
    for name in place:
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, dict) and any(
        payload.has_context(value, alias) for alias in wire.CONTEXT_ALIASES
    )
