"""Direct invocation: a context inside the payload, which is the event itself."""

from __future__ import annotations

from clew import payload, wire
from clew.capture.reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:lambda"


def matches(event: dict[str, Any]) -> bool:
    """Whether a context rides in ``event``: only then is it known who sent it."""
    return any(payload.has_context(event, name) for name in wire.CONTEXT_ALIASES)


def read(event: dict[str, Any]) -> Reading:
    """The handler gets the event without the context; the caller's dict is left as it was."""
    stripped = dict(event)
    return Reading(NAME, stripped, pairs=payload.pairs(payload.take_from(stripped)))
