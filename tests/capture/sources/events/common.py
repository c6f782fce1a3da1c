"""What the events of several sources are made of."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from ...events import XRAY_ROOT, with_context

Fields = dict[str, str] | None

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:orders:$LATEST"
BROKER = "arn:aws:mq:eu-central-1:111122223333:broker:orders:b-1"
CLUSTER = "arn:aws:kafka:eu-central-1:111122223333:cluster/orders/c-1"
XRAY = f"Root={XRAY_ROOT};Parent=53995c3f42cd8ad8;Sampled=1"


def body(fields: Fields = None, **members: Any) -> bytes:
    """A JSON payload as a sender with clew sends it."""
    plain = json.dumps({"order": 7, **members}).encode()
    return plain if fields is None else with_context(plain, fields)


def encoded(data: bytes) -> str:
    """Base64, as Lambda has binary data."""
    return b64encode(data).decode()
