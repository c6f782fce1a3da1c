"""Batches of every source, and what each source does with a handler's answer."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from capture.events import kinesis_record, sns
from clew.streams.worker.outcome import Partial, Succeeded, read_answer
from clew.streams.worker.settings import MappingSettings
from log.lines import Line, came_in, invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/posts"


class Context:
    """A Lambda context whose time runs out."""

    function_name = "timeline"
    function_version = "7"

    def __init__(self, timeout_s: float = 60.0, request_id: str = "a-request") -> None:
        self.aws_request_id = request_id
        self._end = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda counts."""
        return max(int((self._end - time.monotonic()) * 1000), 0)


def body(number: int) -> bytes:
    """What is sent in record ``number``."""
    return json.dumps({"n": number}).encode()


def number_of(record: Any) -> int:
    """Which record it is."""
    payload = record.payload
    if isinstance(payload, str):
        payload = json.loads(payload)
    return int(payload["n"])


def kinesis(number: int, key: str) -> dict[str, Any]:
    """One record of a Kinesis stream."""
    return kinesis_record(body(number), number, key)


def sqs(number: int, key: str) -> dict[str, Any]:
    """One message of a standard queue; it has no key."""
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": body(number).decode(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "us-east-1",
    }


def fifo(number: int, key: str) -> dict[str, Any]:
    """One message of a FIFO queue, in the message group ``key``."""
    one = sqs(number, key)
    own = {"MessageGroupId": key, "SequenceNumber": f"{number:020d}"}
    return {
        **one,
        "attributes": {**one["attributes"], **own, "MessageDeduplicationId": str(number)},
        "eventSourceARN": f"{QUEUE}.fifo",
    }


def dynamodb(number: int, key: str) -> dict[str, Any]:
    """One change of the item ``key``."""
    return {
        "eventID": f"event-{number}",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1479499740.0,
            "Keys": {"id": {"S": key}},
            "NewImage": {"id": {"S": key}, "n": {"N": str(number)}},
            "SequenceNumber": f"{number:021d}",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026",
    }


def kafka(number: int, key: str) -> dict[str, Any]:
    """One record of a topic; the key also chooses the partition."""
    return {
        "topic": "posts",
        "partition": len(key) % 2,
        "offset": number,
        "timestamp": 1545084650987,
        "timestampType": "CREATE_TIME",
        "key": b64encode(key.encode()).decode(),
        "value": b64encode(body(number)).decode(),
        "headers": [],
    }


def event(raws: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The event that Lambda makes of records."""
    if not raws or "topic" not in raws[0]:
        return {"Records": list(raws)}
    partitions: dict[str, list[Any]] = {}
    for raw in raws:
        partitions.setdefault(f"{raw['topic']}-{raw['partition']}", []).append(raw)
    return {"eventSource": "aws:kafka", "bootstrapServers": "b-1", "records": partitions}


def stream_of(count: int, keys: str = "") -> dict[str, Any]:
    """A Kinesis event of so many records; the n-th has the n-th letter of ``keys`` as its key."""
    return event([kinesis(n, (keys or "a" * count)[n]) for n in range(count)])


def first_left_over(answer: Any) -> int | None:
    """The record from which the stream goes on."""
    named = answer["batchItemFailures"]
    return int(named[0]["itemIdentifier"][-4:]) if named else None


def outcomes(lines: list[Line]) -> list[str]:
    """What became of each record."""
    return [one["outcome"] for one in came_in(invocation(lines))]


def said(lines: list[Line], message: str) -> list[Line]:
    """The lines with this message."""
    return [line for line in lines if line["message"] == message]


def message(text: str) -> dict[str, Any]:
    """An SNS event."""
    return sns(text)


#: name -> makes one of its records, of a number and a key.
MAKERS: dict[str, Callable[[int, str], dict[str, Any]]] = {
    "kinesis": kinesis,
    "dynamodb": dynamodb,
    "sqs": sqs,
    "fifo": fifo,
    "kafka": kafka,
}
_STREAM = MappingSettings(STREAM, "TRIM_HORIZON", report_batch_item_failures=True)


def left_over(kind: str, raws: list[dict[str, Any]], answer: Any) -> list[dict[str, Any]]:
    """What the source delivers again after ``answer``: by the rules of the developer guide."""
    if kind in ("kinesis", "dynamodb"):
        outcome = read_answer(answer, [_sequence(raw) for raw in raws], _STREAM)
        if isinstance(outcome, Succeeded):
            return []
        return raws[outcome.index if isinstance(outcome, Partial) else 0 :]
    named = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    if kind == "kafka":
        lowest: dict[str, int] = {}
        for one in named:
            assert set(one) == {"partition", "offset"}
            lowest[one["partition"]] = min(one["offset"], lowest.get(one["partition"], 1 << 60))
        return [
            raw
            for raw in raws
            if raw["offset"] >= lowest.get(f"{raw['topic']}-{raw['partition']}", 1 << 60)
        ]
    assert set(named) <= {raw["messageId"] for raw in raws}, "a message that was not delivered"
    return [raw for raw in raws if raw["messageId"] in named]


def _sequence(raw: dict[str, Any]) -> str:
    found = raw["kinesis"]["sequenceNumber"] if "kinesis" in raw else ""
    return str(found or raw["dynamodb"]["SequenceNumber"])
