"""Which lines of a stream belong together: a stack whose lines came as events of their own. Pure.

Python's runtime writes a traceback as one event; what other runtimes, prints and processes write
comes a line at a time.
"""

from __future__ import annotations

from typing import NamedTuple

#: A stack is written at once.
MAX_MS = 2_000
#: CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas"); a stack is a fraction.
MAX_SIZE = 256 << 10
MAX_EVENTS = 2_000

_TRACEBACK = "Traceback (most recent call last):"
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")
_MORE = ("Caused by: ", "Suppressed: ", "... ")


class Stack(NamedTuple):
    """A text so far, of one event or several."""

    at_ms: int
    events: int
    size: int
    #: Its last line.
    last: str
    #: Whether it is a traceback of Python's whose exception has not come yet.
    is_open: bool


def begun(at_ms: int, message: str) -> Stack:
    """A text that begins with this event."""
    last = message.rstrip("\n").rpartition("\n")[2]
    return Stack(at_ms, 1, len(message), last, message.lstrip().startswith(_TRACEBACK))


def continued(stack: Stack, at_ms: int, message: str) -> Stack | None:
    """The text with the next event of its stream; None if that is a line of its own."""
    size = stack.size + 1 + len(message)
    if (
        size > MAX_SIZE
        or stack.events >= MAX_EVENTS
        or not 0 <= at_ms - stack.at_ms <= MAX_MS
        or not _belongs(stack, message)
    ):
        return None
    is_open = message.startswith(_TRACEBACK) or (
        stack.is_open and (message[:1] in (" ", "\t", "") or message.startswith(_LINKS))
    )
    last = message.rstrip("\n").rpartition("\n")[2]
    return Stack(stack.at_ms, stack.events + 1, size, last, is_open)


def _belongs(stack: Stack, message: str) -> bool:
    first = message[:1]
    if first in (" ", "\t"):
        return True
    if message.startswith((*_MORE, *_LINKS)):
        return True
    if message.startswith(_TRACEBACK):  # one exception after the other
        return stack.last.startswith(_LINKS)
    if not first:  # CloudWatch has no empty events, but what is blank is cut by some
        return stack.is_open
    # The line that names the exception comes after the frames, which are indented.
    return stack.is_open and stack.last[:1] in (" ", "\t")
