"""Tumbling windows: which one a record belongs to, and when one is over.

The rules are those of the Lambda developer guide, "Implementing stateful Kinesis Data Streams
processing in Lambda".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clew.streams.worker.records import StreamRecord

MAX_STATE_BYTES = 1024 * 1024  # "Your state can be a maximum of 1 MB per shard."


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is open, and what the function has made of it so far."""

    start: float
    end: float
    state: Any = field(default_factory=dict)
    #: The state became too large.
    terminated_early: bool = False
    #: Failures of its last invocation, and the wait after them on the steady clock.
    stuck: int = 0
    not_before: float = 0.0


def opened(record: StreamRecord, length_s: int) -> Window:
    """The window that a record is the first of. Windows begin at multiples of their length."""
    start = record.arrived // length_s * length_s
    return Window(start, start + length_s)


def belongs(record: StreamRecord, window: Window) -> bool:
    """Whether a record goes into a window.

    One that is stamped before its start does too: the stamps of neighbours are not quite in
    order, and the window that it would have belonged to is over.
    """
    return record.arrived < window.end


def is_over(
    window: Window, waiting: tuple[StreamRecord, ...], *, ended: bool, wall: float, idle_s: float
) -> bool:
    """Whether the window's last invocation is due."""
    if window.terminated_early:
        return True
    if waiting:
        return not belongs(waiting[0], window)
    # "When a shard ends, Lambda considers the current window to be closed"; "Lambda waits for up
    # to 2 minutes before assuming that the window is over".
    return ended or wall >= window.end + idle_s


def state_bytes(state: Any) -> int:
    """How large a state is as JSON."""
    return len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode("utf-8"))


def describe(window: Window, *, final: bool) -> dict[str, Any]:
    """What an event says of its window."""
    return {
        "window": {"start": _text(window.start), "end": _text(window.end)},
        "state": window.state,
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": window.terminated_early,
    }


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
