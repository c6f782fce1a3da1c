"""Batches as CloudWatch Logs delivers them, and the lines in them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from clew.shipping.parse import lines_of

if TYPE_CHECKING:
    from clew.shipping.lines import Line

GROUP = "/aws/lambda/orders"
STREAM = "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef"
ID = "8f507cfc-a1b2-4697-b07a-ac58fc914c95"
NOW = 1_767_323_045_000


def batch(*messages: str, group: str = GROUP, stream: str = STREAM, **more: Any) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": ["clew"],
        "logEvents": [
            {"id": f"{n:056d}", "timestamp": NOW + n, "message": message}
            for n, message in enumerate(messages)
        ],
        **more,
    }


def packed(*batches: dict[str, Any]) -> bytes:
    """Each in a gzip member of its own."""
    return b"".join(gzip.compress(json.dumps(one).encode()) for one in batches)


def text_of(*batches: dict[str, Any]) -> str:
    return base64.b64encode(packed(*batches)).decode()


def event(*batches: dict[str, Any]) -> dict[str, Any]:
    """Of a subscription."""
    return {"awslogs": {"data": text_of(*batches)}}


def lines(*messages: str, **more: Any) -> list[Line]:
    return lines_of(batch(*messages, **more))


def clew_line(message: str = "hello", **more: Any) -> str:
    return json.dumps(
        {
            "timestamp": "2026-01-02T03:04:05.678Z",
            "level": "INFO",
            "message": message,
            "logger": "orders",
            "requestId": ID,
            "function": "orders",
            "version": "$LATEST",
            "coldStart": False,
            "x-correlation-id": "order-1",
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "spanId": "b7ad6b7169203331",
            **more,
        },
        separators=(",", ":"),
    )
