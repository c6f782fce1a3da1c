"""Says how old each record is when it arrives."""

import base64
import json
import time
from typing import Any


def handler(event: dict[str, Any], context: object) -> None:
    """One line a record: milliseconds since it was put."""
    now = time.time()
    for record in event["Records"]:
        put_at = json.loads(base64.b64decode(record["kinesis"]["data"]))["put_at"]
        print("age_ms", (now - put_at) * 1000)
