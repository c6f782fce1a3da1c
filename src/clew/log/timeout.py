"""What is written of an invocation that Lambda is about to stop: what its end would have said."""

from __future__ import annotations

import sys
import time

from clew.log.line import build
from clew.log.out import write
from clew.log.recorder import write_event, write_held
from clew.log.wide import received_json, write_invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from clew.capture import Delivery, Record
    from clew.invocation import Received

#: Frames of a stack that are kept at each of its ends.
MAX_FRAMES = 25


def write_timeout(delivery: Delivery, thread: int, left_s: float) -> None:
    """A warning with the stack of ``thread``, the ``invocation`` line so far, and what was held.

    The most telling first, since there is no time. May be called from any thread, while the
    handler goes on.
    """
    invocation, correlation = delivery.invocation, delivery.correlation
    stack = stack_of(sys._current_frames().get(thread))
    write(
        build(
            at=time.time(),
            level="WARNING",
            message="the function is about to time out",
            logger="clew",
            correlation=correlation,
            fields={"remainingMs": round(left_s * 1000), "stack": stack},
        )
    )
    received = list(invocation.received)
    in_hand = _in_hand(received)
    where = f"out of time at {stack[-1]}" if stack else "out of time"
    done = invocation.done
    entries = [
        received_json(one, outcome="timeout", error=where) if one in in_hand else received_json(one)
        for one in (received if done is None else done.others(received))
    ]
    columns = [] if done is None else [*done.groups()]
    write_invocation(invocation, correlation, None, entries, done=columns, outcome="timeout")
    write_held(invocation)
    write_event(invocation.event, correlation)


def _in_hand(received: list[Received | Record]) -> list[Received | Record]:
    """What the function was called for and has not ended: one that began, else all together."""
    pending = [one for one in received if one.outcome == "pending"]
    return [one for one in pending if one.attempts] or pending


def stack_of(frame: FrameType | None) -> list[str]:
    """Where a thread is, outermost first, from the user's function on.

    Names and line numbers only: what stands in a line of code may be a secret.
    """
    stack: list[str] = []
    outermost_user = 0
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module == "clew.handlers.run":
            break
        code = frame.f_code
        stack.append(f'File "{code.co_filename}", line {frame.f_lineno}, in {code.co_name}'[:300])
        if not str(module).startswith("clew."):
            outermost_user = len(stack)
        frame = frame.f_back
    del stack[outermost_user or len(stack) :]
    stack.reverse()
    if len(stack) > 2 * MAX_FRAMES:
        left_out = len(stack) - 2 * MAX_FRAMES
        stack = [*stack[:MAX_FRAMES], f"… {left_out} frames …", *stack[-MAX_FRAMES:]]
    return stack
