"""Answers in the form that the emulator's handlers of Kinesis give them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import kinesis

if TYPE_CHECKING:
    from clew.localcloud.seam.closed_shards import Stream

Answer = tuple[int, dict[str, str], bytes]


def ok(answer: dict[str, Any]) -> Answer:
    """A success."""
    found: Answer = json_response(answer)
    return found


def error(code: str, message: str) -> Answer:
    """A refusal, with the service's code for it."""
    found: Answer = error_response_json(code, message, 400)
    return found


def iterator(stream: Stream, shard_id: str, position: int) -> str:
    """A shard iterator that the emulator knows."""
    token: str = new_uuid()
    kinesis._shard_iterators[token] = {
        "stream": stream["StreamName"],
        "stream_arn": stream["StreamARN"],
        "shard_id": shard_id,
        "position": position,
        "created_at": time.time(),
    }
    return token
