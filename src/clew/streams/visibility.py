"""Messages that stay hidden in their queue until it is time for another attempt."""

from __future__ import annotations

from math import ceil

from clew.log.internal import failed, warn
from clew.streams.clients import client
from clew.streams.target import queue_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: SQS API reference, "ChangeMessageVisibilityBatch": ten entries.
MAX_ENTRIES = 10


def hide(later: list[tuple[Any, float]]) -> None:
    """Hide each message for its seconds, rounded up. Never raises.

    Where that fails, the message comes again when the queue's own time-out is over.
    """
    by_queue: dict[str, list[tuple[Any, float]]] = {}
    for record, wait_s in later:
        by_queue.setdefault(record.queue_arn, []).append((record, wait_s))
    for arn, messages in by_queue.items():
        for at in range(0, len(messages), MAX_ENTRIES):
            try:
                _hide(arn, messages[at : at + MAX_ENTRIES])
            except Exception:  # noqa: BLE001  (they are returned all the same)
                failed("hiding messages in their queue")


def _hide(arn: str, messages: list[tuple[Any, float]]) -> None:
    answer = client("sqs", arn.split(":")[3]).change_message_visibility_batch(
        QueueUrl=queue_url(arn),
        Entries=[
            {
                "Id": str(index),
                "ReceiptHandle": record.receipt_handle,
                "VisibilityTimeout": ceil(wait_s),
            }
            for index, (record, wait_s) in enumerate(messages)
        ],
    )
    if answer.get("Failed"):
        first = answer["Failed"][0]
        warn(
            "messages could not be hidden until their next attempt",
            queue=arn,
            messages=len(answer["Failed"]),
            error=f"{first.get('Code')}: {first.get('Message')}",
        )
