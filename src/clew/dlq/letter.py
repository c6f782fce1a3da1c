"""What stands in a dead-letter queue: five kinds of letters, read from messages. Pure.

- ``letter``: what `clew.dead_letter` writes.
- ``batch``: what a stream's event source mapping writes of records that it gave up: where they
  are, not what they are (Lambda developer guide, "Retain discarded batch records").
- ``invocation``: what Lambda writes of an asynchronous invocation that failed, with its event
  ("Capturing records of Lambda asynchronous invocations").
- ``event``: the event alone, in the dead-letter queue of an asynchronously invoked function.
- ``message``: any other message; a queue's redrive policy moved it here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.capture.attributes import failed_request
from clew.capture.record import members, text
from clew.capture.sqs import SqsRecord
from clew.dlq.message import Message, unwrapped
from clew.streams.envelope import MARK, Envelope, unseal
from clew.streams.failure import NotAnEnvelope

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTER, BATCH, INVOCATION, EVENT, MESSAGE = "letter", "batch", "invocation", "event", "message"
#: More than this is no count of attempts or records.
_MOST = 1_000_000
_BATCHES = {"KinesisBatchInfo": "aws:kinesis", "DDBStreamBatchInfo": "aws:dynamodb"}


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """Where the records are that a mapping gave up."""

    stream_arn: str
    shard_id: str
    first: str
    last: str
    size: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, whoever wrote it."""

    message: Message
    kind: str
    #: Its own name: that of the envelope, else the message's id.
    id: str
    correlation_id: str = ""
    #: The name of the function that failed, or "".
    function: str = ""
    error_type: str = ""
    error_message: str = ""
    stack: tuple[str, ...] = ()
    attempts: int = 0
    lives: int = 1
    #: When it failed last.
    at: datetime | None = None
    #: The event source that its record came from, ``"aws:kinesis"`` say.
    source: str = ""
    #: The ARN of that stream, queue or topic, or "".
    origin: str = ""
    envelope: Envelope | None = None
    batch: BatchInfo | None = None
    #: What was sent, where the message has it.
    payload: bytes | None = None
    #: Why it cannot be read, or "".
    problem: str = ""

    @property
    def error(self) -> str:
        """Type and message."""
        return ": ".join(part for part in (self.error_type, self.error_message) if part)

    def with_envelope(self, envelope: Envelope) -> Letter:
        """Itself with an envelope that is whole."""
        return replace(self, envelope=envelope, payload=_payload(envelope))


def read_letter(message: Message) -> Letter:
    """What a message is. Never raises for anything that a body can hold."""
    inner, _ = unwrapped(message)
    try:
        found = json.loads(inner.body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        if MARK in found:
            return _envelope(message, inner)
        context = found.get("requestContext")
        if isinstance(context, dict) and "functionArn" in context and "condition" in context:
            for name, source in _BATCHES.items():
                if isinstance(found.get(name), dict):
                    return _batch(message, found, source, found[name])
            if "requestPayload" in found:
                return _invocation(message, found)
    return _other(message)


def _envelope(message: Message, inner: Message) -> Letter:
    try:
        envelope = unseal(inner.body)
        payload = _payload(envelope)
        problem = ""
    except NotAnEnvelope as error:
        return Letter(message, LETTER, message.id, at=message.sent_at, problem=str(error))
    own = envelope.members
    failure, stack = own["error"], own["error"].get("stack")
    if payload is None and envelope.claim is None:
        problem = "Its payload cannot be read."
    return Letter(
        message,
        LETTER,
        envelope.id,
        envelope.correlation_id,
        envelope.function or text(own["function"].get("name")),
        text(failure.get("type")),
        text(failure.get("message")),
        tuple(str(line) for line in stack) if isinstance(stack, list) else (),
        envelope.attempts,
        envelope.lives,
        moment(own.get("lastAttemptAt")) or message.sent_at,
        envelope.source,
        text(own["origin"].get("arn")),
        envelope,
        payload=payload,
        problem=problem,
    )


def _payload(envelope: Envelope) -> bytes | None:
    try:
        return envelope.payload
    except NotAnEnvelope:
        return None


def _batch(message: Message, found: dict[str, Any], source: str, info: dict[str, Any]) -> Letter:
    context = members(found.get("requestContext"))
    size = info.get("batchSize")
    stream = text(info.get("streamArn"))
    told = members(found.get("responseContext")).get("functionError")
    return Letter(
        message,
        BATCH,
        message.id,
        function=function_name(context.get("functionArn")),
        error_type=text(context.get("condition")),
        error_message=f"the function failed: {told}" if told else "",
        attempts=_count(context.get("approximateInvokeCount")),
        at=moment(found.get("timestamp")) or message.sent_at,
        source=source,
        origin=stream,
        batch=BatchInfo(
            stream,
            text(info.get("shardId")),
            text(info.get("startSequenceNumber")),
            text(info.get("endSequenceNumber")),
            _count(size),
        ),
    )


def _invocation(message: Message, found: dict[str, Any]) -> Letter:
    context = members(found.get("requestContext"))
    said = members(found.get("responsePayload"))
    stack = said.get("stackTrace")
    return Letter(
        message,
        INVOCATION,
        message.id,
        _correlation_id(message) or text(context.get("requestId")),
        function_name(context.get("functionArn")),
        text(said.get("errorType")) or text(context.get("condition")),
        text(said.get("errorMessage")),
        tuple(str(line).rstrip("\n") for line in stack) if isinstance(stack, list) else (),
        _count(context.get("approximateInvokeCount")),
        at=moment(found.get("timestamp")) or message.sent_at,
        source="aws:lambda",
        origin=text(context.get("functionArn")),
        payload=json.dumps(found["requestPayload"], ensure_ascii=False).encode(
            "utf-8", "backslashreplace"
        ),
    )


def _other(message: Message) -> Letter:
    record = message.as_record()
    event = bool(failed_request(record["messageAttributes"], "stringValue"))
    failure = SqsRecord(record).failure
    return Letter(
        message,
        EVENT if event else MESSAGE,
        message.id,
        _correlation_id(message) or failure.get("RequestID", ""),
        error_type=failure.get("ErrorCode", ""),
        error_message=failure.get("ErrorMessage", ""),
        at=message.sent_at,
        source="aws:lambda" if event else "aws:sqs",
        origin="" if event else message.source_queue,
        payload=message.body.encode("utf-8", "surrogatepass"),
    )


def _correlation_id(message: Message) -> str:
    try:
        return wire.check(SqsRecord(message.as_record()).came_with()).fields.get(wire.ID, "")
    except Exception:  # noqa: BLE001  (whatever stands in a queue, it is listed)
        return ""


def function_name(arn: object) -> str:
    """The name in a function's ARN, without its version; the text itself where it is no ARN."""
    parts = text(arn).split(":")
    return parts[6] if len(parts) >= 7 and parts[5] == "function" else text(arn)


def moment(written: object) -> datetime | None:
    """A time as JSON has it (RFC 3339), in UTC, or None."""
    try:
        found = datetime.fromisoformat(text(written))
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):  # the first and the last day may not be there in UTC
        return None


def in_order(letters: Iterable[Letter]) -> list[Letter]:
    """Those of one stream, or one message group, in the order in which their records came."""
    return sorted(letters, key=_place)


def _place(letter: Letter) -> tuple[str, int, int, float]:
    number = part = 0
    if letter.envelope is not None:
        own = letter.envelope.members
        number = _digits(own["origin"].get("sequenceNumber"))
        part = _count(members(own.get("userRecord")).get("number"))
    elif letter.batch is not None:
        number = _digits(letter.batch.first)
    else:
        number = _digits(letter.message.system.get("SequenceNumber"))
    sent = letter.message.sent_at
    return letter.origin, number, part, sent.timestamp() if sent else 0.0


def _digits(value: object) -> int:
    found = text(value)
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 200 else 0


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= _MOST else 0
