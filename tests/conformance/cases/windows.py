"""Tumbling windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..contract import Case, Told
from .making import (
    WINDOWS,
    puts,
)

if TYPE_CHECKING:
    from ..contract import Seen


def windows_seen(seen: Seen) -> str:
    finals = [event for event in seen.events if event.get("isFinalInvokeForWindow")]
    if not finals:
        return "no window was closed"
    final = finals[0]
    if final["Records"] or final["state"] != {"n": 3}:
        return f"the last invocation had {final}"
    if final["shardId"] != "shardId-000000000000" or final["eventSourceARN"] != seen.arn:
        return f"the last invocation had {final}"
    first = seen.events[0]
    if first["state"] != {} or set(first["window"]) != {"start", "end"}:
        return f"the first invocation had {first}"
    return ""


def ended_early(seen: Seen) -> str:
    flags = [
        (event.get("isFinalInvokeForWindow"), event.get("isWindowTerminatedEarly"))
        for event in seen.events
    ]
    return "" if (True, True) in flags else f"the flags were {flags}"


def count_into_state(event: dict[str, Any]) -> Any:
    state = event.get("state") or {}
    return {"state": {"n": state.get("n", 0) + len(event["Records"])}}


def large_state(event: dict[str, Any]) -> Any:
    return {"state": {"x": "x" * 1_100_000} if event["Records"] else {}}


CASES = (
    Case(
        "window-state",
        "The state that is returned comes with the next batch, and in the end with no records.",
        WINDOWS,
        puts("a b c"),
        properties={"TumblingWindowInSeconds": 1, "BatchSize": 3},
        answer=count_into_state,
        batches=None,
        ahead_s=200,
        check=windows_seen,
        endless=True,
    ),
    Case(
        "window-no-state",
        "A response without a state is a failed invocation.",
        WINDOWS,
        puts("a"),
        properties={"TumblingWindowInSeconds": 900, "MaximumRetryAttempts": 1},
        answers=({},),
        batches=(("a",), ("a",)),
        told=(Told("a", "a", invocations=2, function_error=None),),
    ),
    Case(
        "window-too-large",
        "A state over 1 MB ends the window early.",
        WINDOWS,
        puts("a"),
        properties={"TumblingWindowInSeconds": 900},
        answer=large_state,
        batches=None,
        check=ended_early,
        endless=True,
    ),
)
