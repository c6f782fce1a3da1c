"""What the shipping function takes for a line: unpacked, taken apart, and put into a request.

Nothing else does just this, so that the peer is the rate that clew is to keep. CPU time of this
process, for lines as the demo's function api-a writes them.
"""

from __future__ import annotations

import base64
import gc
import gzip
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.lines import IDS
from benchmarks.measure import Result
from clew.shipping.batches import Parcel
from clew.shipping.parse import lines_of
from clew.shipping.sinks import store
from clew.shipping.unpack import batches

if TYPE_CHECKING:
    from collections.abc import Callable

PARSED_A_SECOND, PACKED_A_SECOND = 150_000, 100_000
INVOCATIONS, ROUNDS = 300, 15
#: An invocation of api-a writes so many: two lines of its own, clew's, and three of Lambda's.
LINES = 6 * INVOCATIONS


def run() -> list[Result]:
    """CPU microseconds a line; one batch of 1,800 lines."""
    delivered = _delivered()
    assert sum(len(lines_of(one)) for one in batches(delivered)) == LINES
    what = "a log line of the demo, shipped: "
    return [
        _limit(f"{what}unpacked and taken apart", lambda: _parse(delivered), PARSED_A_SECOND),
        _limit(
            f"{what}the same, and in a request for clew's store",
            lambda: _pack(delivered),
            PACKED_A_SECOND,
        ),
    ]


def _parse(delivered: str) -> list[Any]:
    return [line for batch in batches(delivered) for line in lines_of(batch)]


def _pack(delivered: str) -> bytes:
    pack = store.StoreSink.pack
    nowhere: Any = None
    return store.body_of([Parcel(line, pack(nowhere, line)) for line in _parse(delivered)])


def _limit(claim: str, call: Callable[[], object], lines_a_second: int) -> Result:
    took = statistics.median(_run(call) for _ in range(ROUNDS)) / LINES * 1e6
    limit = 1e6 / lines_a_second
    ratio = took / limit
    return Result(claim, took, limit, f"{lines_a_second:,} lines/s", "", ratio, 1.0, ratio <= 1.0)


def _run(call: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        call()
        return time.process_time() - started
    finally:
        gc.enable()


def _delivered() -> str:
    """A batch as a subscription delivers it: gzip, in base64."""
    events: list[dict[str, Any]] = []
    for number in range(INVOCATIONS):
        for message in _messages(number):
            at = 1_764_000_000_000 + len(events)
            events.append({"id": f"{len(events):056d}", "timestamp": at, "message": message})
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/lambda/correlation-api-a",
        "logStream": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
        "subscriptionFilters": ["clew"],
        "logEvents": events,
    }
    return base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()


def _messages(number: int) -> list[str]:
    """The lines of one invocation, as long as the demo's."""
    id_ = f"{number:08x}-a1b2-4697-b07a-ac58fc914c95"
    trace, span = f"{number + 1:032x}", f"{number + 1:016x}"
    common: dict[str, Any] = {
        "timestamp": "2026-01-02T03:04:05.678Z", "level": "INFO", "message": "publishing",
        "logger": "api_a", "requestId": id_, "function": "correlation-api-a",
        "version": "$LATEST", "coldStart": False, **IDS, "x-correlation-id": id_,
        "traceId": trace, "spanId": span,
    }  # fmt: skip
    sent = [
        {
            "service": service, "operation": operation, "target": target, "span": span,
            "parent": span, "trace": trace, "id": id_, "at": "2026-01-02T03:04:05.678Z",
            "outcome": "ok",
        }
        for service, operation, target in (
            ("http", "GET", "http://127.0.0.1:4566/authors/tywin"),
            ("sns", "Publish", "arn:aws:sns:us-east-1:123456789012:posts"),
            ("kinesis", "PutRecord", "correlation-PostStream"),
        )
    ]  # fmt: skip
    wide = {
        **common, "message": "invocation", "logger": "clew", "source": "aws:apigateway",
        "outcome": "ok", "startedAt": "2026-01-02T03:04:05.000Z", "durationMs": 12.3, "chunk": 1,
        "chunks": 1, "received": [{"span": span, "trace": trace, "id": id_, "outcome": "done",
        "attempts": 1, "ms": 12.1}], "sent": sent,
    }  # fmt: skip
    said = [{**common, "post": f"post-{number}"}, {**common, "level": "DEBUG", "author": "tywin"}]
    return [
        f"START RequestId: {id_} Version: $LATEST\n",
        *(json.dumps(one, separators=(",", ":")) + "\n" for one in (*said, wide)),
        f"END RequestId: {id_}\n",
        f"REPORT RequestId: {id_}\tDuration: 12.30 ms\tBilled Duration: 13 ms\t"
        "Memory Size: 256 MB\tMax Memory Used: 81 MB\t\n",
    ]
