"""What no local cloud does by itself, done to lines that were recorded."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.sets import Lines


def _shifted(function: str, by_ms: int) -> Callable[[Lines], Lines]:
    """With the clock of a function's host off by so much."""

    def later(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found[0]).timestamp() * 1000 + by_ms
        return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03.0f}Z"

    def shift(lines: Lines) -> Lines:
        return [
            {
                **line,
                "at": line["at"] + by_ms,
                "message": _TIME.sub(later, line["message"]),
            }
            if line["group"].endswith(function)
            else line
            for line in lines
        ]

    return shift


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _twice(lines: Lines) -> Lines:
    return [each for line in lines for each in (line, line)]


def _out_of_order(lines: Lines) -> Lines:
    shuffled = list(lines)
    random.Random(7).shuffle(shuffled)  # noqa: S311
    return shuffled


def _without(function: str) -> Callable[[Lines], Lines]:
    """Without a log group."""
    return lambda lines: [line for line in lines if not line["group"].endswith(function)]


def _still_running(lines: Lines) -> Lines:
    """As they are while the second function is busy."""
    late = ('"wrapped"', '"invocation"', '"invoked"', "END ", "REPORT ")
    return [
        line
        for line in lines
        if not line["group"].endswith("/shop-prices")
        or not any(one in line["message"] for one in late)
    ]


def _cut(lines: Lines) -> Lines:
    """With every long line cut, as one of more than 256 kB is."""
    return [{**line, "message": line["message"][:700]} for line in lines]


def _out_of_memory_as_lambda_says_it(lines: Lines) -> Lines:
    """In the words of AWS ("Lambda runtimes, troubleshooting"; "Telemetry API Event reference")."""
    changed = []
    for line in lines:
        message = line["message"]
        ended = line["group"].endswith("/shop-prices")
        if ended and message.startswith("REPORT RequestId: "):
            request_id = message.split()[2]
            message = (
                f"REPORT RequestId: {request_id}\tDuration: 812.33 ms\tBilled Duration: 813 ms\t"
                "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\t"
                "Error Type: Runtime.OutOfMemory\t"
            )
            changed.append(
                {
                    **line,
                    "message": f"RequestId: {request_id} Error: Runtime exited with error: "
                    "signal: killed\nRuntime.ExitError",
                }
            )
        elif ended and "Worker process died" in message:
            continue
        changed.append({**line, "message": message})
    return changed


#: name -> the recorded set that it is made of, what was done, and how.
ALTERED: dict[str, tuple[str, str, Callable[[Lines], Lines]]] = {
    "clock-five-minutes-fast": (
        "nothing-broke",
        "nothing-broke, with the clock of notify five minutes fast",
        _shifted("posts-notify", 300_000),
    ),
    "clock-five-minutes-slow": (
        "a-broken-profile",
        "a-broken-profile, with the clock of timeline five minutes slow",
        _shifted("posts-timeline", -300_000),
    ),
    "clock-100-ms-fast": (
        "parallel-branches",
        "parallel-branches, with the clock of prices 100 ms fast",
        _shifted("shop-prices", 100),
    ),
    "clock-100-ms-slow": (
        "redriven-and-delivered",
        "redriven-and-delivered, with the clock of booker 100 ms slow",
        _shifted("shop-booker", -100),
    ),
    "lines-twice": (
        "async-retried",
        "async-retried, with every line twice",
        _twice,
    ),
    "lines-out-of-order": (
        "a-broken-profile",
        "a-broken-profile, with its lines shuffled",
        _out_of_order,
    ),
    "log-group-missing": (
        "parallel-branches",
        "parallel-branches, without the log group of prices",
        _without("shop-prices"),
    ),
    "log-group-of-the-edge-missing": (
        "async-given-up",
        "async-given-up, without the log group of the edge",
        _without("shop-edge"),
    ),
    "still-running": (
        "slow-but-done",
        "the same, read after two",
        _still_running,
    ),
    "lines-cut": (
        "raised",
        "raised, with every line cut after 700 characters",
        _cut,
    ),
    "out-of-memory-on-aws": (
        "killed",
        "the process of prices is killed with all its memory in use, in AWS's words",
        _out_of_memory_as_lambda_says_it,
    ),
}
