"""A story of 2,000 hops: from its parsed log lines to the tree and its breaks."""

from __future__ import annotations

import json
import platform
import statistics
import time
from typing import Any

from benchmarks.measure import Result
from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct

HOPS = 2_000
#: CPU milliseconds that nobody waits for knowingly.
MOST_MS = 200.0
_ROUNDS = 7
_FUNCTIONS = 25
_START_S = 1_767_323_045
_ID = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_TARGETS = ("arn:aws:sns:us-east-1:123456789012:orders", "clicks", "arn:aws:lambda:…:mail")
_SOURCES = ("aws:sns", "aws:kinesis", "aws:lambda")
_SERVICES = (("sns", "Publish"), ("kinesis", "PutRecord"), ("lambda", "Invoke"))

#: How many hops a hop sends to, by shape: a chain, a tree, and one that all others hang under.
SHAPES = {"a tree, three below each": 3, "a chain": 1, "all under one": HOPS - 1}


def run() -> list[Result]:
    """For each shape: CPU time to rebuild it, beside that of reading its lines as JSON."""
    return [_measured(shape, below) for shape, below in SHAPES.items()]


def _measured(shape: str, below: int) -> Result:
    raw = story_lines(HOPS, below)
    lines = read(raw)
    story = reconstruct(lines, _ID)
    if len(story.hops) != HOPS or len(story.breaks) != 1:
        raise AssertionError(f"{len(story.hops)} hops, {len(story.breaks)} breaks")
    texts = [line.message for line in raw]
    ours = statistics.median(_ms(reconstruct, lines, _ID) for _ in range(_ROUNDS))
    peer = statistics.median(_ms(_loaded, texts) for _ in range(_ROUNDS))
    return Result(
        claim=f"CPU time to rebuild a story of {HOPS:,} hops ({shape}), at most {MOST_MS:g} ms",
        ours=ours,
        peer=peer,
        peer_name="json.loads of its lines, Python",
        peer_version=platform.python_version(),
        ratio=ours / peer,
        target=round(MOST_MS / peer, 1),
        met=ours <= MOST_MS,
        unit="ms",
    )


def _loaded(texts: list[str]) -> list[Any]:
    return [json.loads(text) for text in texts]


def _ms(call: Any, *given: Any) -> float:
    started = time.process_time()
    call(*given)
    return (time.process_time() - started) * 1000


def story_lines(hops: int, below: int) -> list[RawLine]:
    """The lines of a request of so many hops, three a hop; the last one fails."""
    raw = []
    for number in range(hops):
        first = number * below + 1
        children = range(first, min(first + below, hops))
        function = f"function-{number % _FUNCTIONS}"
        group = f"/aws/lambda/{function}"
        at = _START_S + number * 0.01
        common: dict[str, Any] = {
            "requestId": f"request-{number}",
            "function": function,
            "version": "7",
            "coldStart": False,
            "x-correlation-id": _ID,
            "x-correlation-user-id": "user-42",
            "debug-log-enabled": "false",
            "call-chain-length": str(min(number, 40) + 1),
            "traceId": _TRACE,
            "spanId": _span(number, 0),
        }
        for words in ("begun", "ended"):
            line = {"timestamp": _time(at), "level": "INFO", "message": words, "logger": "app"}
            raw.append(_raw(group, at, {**line, **common, "post": f"post-{number}"}))
        failed = number == hops - 1
        parent = {"parent": _span(number, 1)} if number else {}
        received = {
            "span": _span(number, 0),
            **parent,
            "trace": _TRACE,
            "id": _ID,
            "outcome": "failed" if failed else "done",
            "attempts": 1,
            "ms": 3.25,
            "messageId": f"message-{number}",
        }
        wide: dict[str, Any] = {
            "timestamp": _time(at),
            "level": "INFO",
            "message": "invocation",
            "logger": "clew",
        }
        wide |= common
        wide |= {
            "source": _SOURCES[number % 3],
            "outcome": "ok",
            "startedAt": _time(at),
            "durationMs": 4.5,
        }
        wide |= {"chunk": 1, "chunks": 1, "received": [received]}
        wide |= {"sent": [_sent(number, child, at) for child in children]}
        raw.append(_raw(group, at, wide))
    return raw


def _sent(sender: int, receiver: int, at: float) -> dict[str, Any]:
    service, operation = _SERVICES[receiver % 3]
    return {
        "service": service,
        "operation": operation,
        "target": _TARGETS[receiver % 3],
        "span": _span(receiver, 1),
        "parent": _span(sender, 0),
        "trace": _TRACE,
        "id": _ID,
        "at": _time(at),
        "outcome": "ok",
        "messageId": f"message-{receiver}",
        **({"invocationType": "Event"} if service == "lambda" else {}),
    }


def _span(number: int, which: int) -> str:
    return f"{number * 2 + which + 1:016x}"


def _time(at: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(at)))
    return f"{whole}.{int(at * 1000) % 1000:03d}Z"


def _raw(group: str, at: float, line: dict[str, Any]) -> RawLine:
    message = json.dumps(line, separators=(",", ":"))
    return RawLine(int(at * 1000), group, f"stream-{group}", message)
