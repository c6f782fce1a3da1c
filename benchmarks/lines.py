"""Loggers that write to nowhere, and events: what several benchmarks have in common."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = {
    "x-correlation-id": "5a4b7c9e-3f5d-4a6e-9d1c-2b8f7e6d5c4b",
    "x-correlation-user-id": "user-42",
    "debug-log-enabled": "false",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "call-chain-length": "3",
}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_SEQUENCE = "4959033827149025660855969253836157109592157598913"


@contextlib.contextmanager
def to_nowhere() -> Iterator[Any]:
    """Send stdout to the null device, for every logger alike."""
    before = sys.stdout
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        sys.stdout = nowhere
        try:
            yield nowhere
        finally:
            sys.stdout = before


def keep_apart(theirs: str) -> None:
    """Have clew's and Powertools' loggers not see each other: a function has one of the two.

    Powertools puts a filter on the root logger's handlers, so that its own lines, which come to
    them too, are not written twice.
    """
    logging.getLogger(theirs).propagate = False
    for handler in logging.getLogger().handlers:
        handler.filters.clear()


class Context:
    """A Lambda context, as far as handlers ask it."""

    aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
    function_name = "timeline"
    function_version = "$LATEST"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:timeline"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Plenty."""
        return 30_000


def kinesis_event(records: int, *, with_context: bool) -> dict[str, Any]:
    """A Kinesis event of JSON payloads of some 200 bytes, each with ids of its own."""
    return {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{_SEQUENCE}{n}",
                "eventName": "aws:kinesis:record",
                "eventSource": "aws:kinesis",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/posts",
                "eventVersion": "1.0",
                "awsRegion": "us-east-1",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/role",
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": str(n % 50),
                    "sequenceNumber": f"{_SEQUENCE}{n}",
                    "data": base64.b64encode(payload(n, with_context=with_context)).decode(),
                    "approximateArrivalTimestamp": 1764000000.0,
                },
            }
            for n in range(records)
        ]
    }


def payload(number: int, *, with_context: bool = False) -> bytes:
    """A JSON object of 200 bytes, without the context."""
    body: dict[str, Any] = {"event": "post-published", "post": number, "text": "x" * 140}
    if with_context:
        context = {**IDS, "x-correlation-id": f"request-{number}", "traceparent": TRACEPARENT}
        body = {"__context": context, **body}
    return json.dumps(body).encode()
