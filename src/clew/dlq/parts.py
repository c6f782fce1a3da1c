"""What a redrive sends for a letter, and where. Pure."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from clew import payload as clew_payload
from clew.capture.kinesis import KinesisRecord
from clew.capture.kpl import user_records
from clew.capture.record import members, text
from clew.dlq.attributes import published, sendable, to_send
from clew.dlq.errors import DlqError
from clew.dlq.letter import BATCH, EVENT, INVOCATION, LETTER, Letter
from clew.dlq.message import as_delivered
from clew.streams import origins
from clew.streams.identity import MEMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.streams.envelope import Envelope

SOURCE, QUEUE, FUNCTION = "source", "queue", "function"


@dataclass(frozen=True, slots=True)
class Where:
    """What the user asked for: ``to`` is one of SOURCE, QUEUE, FUNCTION."""

    to: str = SOURCE
    #: A queue's ARN, to send to instead of the one it came from.
    queue: str = ""
    #: A function, to invoke instead of the one that failed.
    function: str = ""


@dataclass(frozen=True, slots=True)
class ToStream:
    """A record for a Kinesis stream."""

    stream: str
    key: str
    data: bytes
    hash_key: str = ""

    @property
    def order(self) -> tuple[str, str]:
        """What has to stay behind an earlier one that was not sent."""
        return self.stream, self.key


@dataclass(frozen=True, slots=True)
class ToQueue:
    """A message for a queue, named by its ARN."""

    queue: str
    body: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    deduplication: str = ""

    @property
    def order(self) -> tuple[str, str] | None:
        """The message group of a FIFO queue."""
        return (self.queue, self.group) if self.queue.endswith(".fifo") else None


@dataclass(frozen=True, slots=True)
class ToTopic:
    """A message for a topic, which all of its subscribers get again."""

    topic: str
    body: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    group: str = ""
    deduplication: str = ""

    @property
    def order(self) -> tuple[str, str] | None:
        """The message group of a FIFO topic."""
        return (self.topic, self.group) if self.topic.endswith(".fifo") else None


@dataclass(frozen=True, slots=True)
class ToFunction:
    """An event for a function. Only one that is waited for can say that it failed."""

    function: str
    payload: bytes
    is_waited_for: bool = True

    @property
    def order(self) -> None:
        """A letter gave up its place in the order when it was written."""
        return


Part: TypeAlias = ToStream | ToQueue | ToTopic | ToFunction


def parts_of(letter: Letter, where: Where, records: Sequence[Mapping[str, Any]] = ()) -> list[Part]:
    """What is sent for a letter; ``records`` are those of a batch, as Lambda delivers them.

    Raises `DlqError` where it cannot go there.
    """
    with _read():
        return _parts(letter, where, records)


@contextmanager
def _read() -> Iterator[None]:
    """Turns what malformed members raise into a sentence."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DlqError(f"It is damaged: {type(error).__name__}: {error}.") from error


def _parts(letter: Letter, where: Where, records: Sequence[Mapping[str, Any]]) -> list[Part]:
    if where.to == QUEUE and where.queue:
        return [_moved(letter, where.queue)]
    if letter.problem:
        raise DlqError(letter.problem)
    if where.to == FUNCTION:
        return [_to_function(letter, where, records)]
    if letter.kind == BATCH:
        return _batch_to_stream(letter, records)
    if letter.kind == INVOCATION:
        return [ToFunction(letter.origin, letter.payload or b"null", is_waited_for=False)]
    if letter.kind == EVENT:
        raise DlqError(
            "It is the event of an invocation, and does not say of which function; "
            "redrive it with --to function --invoke NAME."
        )
    if letter.kind != LETTER:
        return [_to_source_queue(letter)]
    assert letter.envelope is not None  # noqa: S101  (a letter without one has a problem)
    return [_to_source(letter.envelope, letter)]


def _to_source(envelope: Envelope, letter: Letter) -> Part:
    own = members(envelope.members["origin"])
    arn, source = text(own.get("arn")), envelope.source
    if source == "aws:kinesis" and arn and not envelope.members["payload"].get("whole"):
        stream = arn.partition("/consumer/")[0]
        hash_key = text(members(envelope.members.get(origins.USER_RECORD)).get("explicitHashKey"))
        return ToStream(stream, text(own.get("partitionKey")), envelope.to_source(), hash_key)
    if source == "aws:sqs" and arn:
        raw = members(envelope.raw())
        system = members(raw.get("attributes"))
        return ToQueue(
            arn,
            text(raw.get("body")),
            to_send(raw, envelope.context()),
            text(system.get("MessageGroupId")) or _group(arn, letter),
            _deduplication(arn, letter),
        )
    if source == "aws:sns" and arn:
        raw = members(members(envelope.raw()).get("Sns"))
        return ToTopic(
            arn,
            text(raw.get("Message")),
            published(raw),
            text(raw.get("Subject")),
            _group(arn, letter),
            _deduplication(arn, letter),
        )
    what = {"aws:dynamodb": "A DynamoDB stream takes", "aws:kafka": "clew gives Kafka"}.get(
        source, f"{source or 'its source'} takes"
    )
    raise DlqError(f"{what} no records; redrive it with --to function, or --to queue --queue NAME.")


def _to_source_queue(letter: Letter) -> ToQueue:
    message = letter.message
    arn = message.source_queue
    if not arn:
        raise DlqError(
            "Nothing says which queue it came from; redrive it with --to queue --queue NAME."
        )
    return _moved(letter, arn)


def _moved(letter: Letter, queue: str) -> ToQueue:
    """The message itself, as it is."""
    message = letter.message
    return ToQueue(
        queue,
        message.body,
        {name: sent for name, value in message.attributes.items() if (sent := sendable(value))},
        message.group or _group(queue, letter),
        _deduplication(queue, letter),
    )


def _to_function(letter: Letter, where: Where, records: Sequence[Mapping[str, Any]]) -> ToFunction:
    arn = letter.origin if letter.kind == INVOCATION else ""
    function = where.function or arn or letter.function
    if not function:
        raise DlqError("Nothing says which function failed on it; name it with --invoke NAME.")
    return ToFunction(function, event_of(letter, records))


def event_of(letter: Letter, records: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """The event that the function gets for a letter. Raises `DlqError`, `NotAnEnvelope`."""
    if letter.problem:
        raise DlqError(letter.problem)
    with _read():
        return _event_of(letter, records)


def _event_of(letter: Letter, records: Sequence[Mapping[str, Any]]) -> bytes:
    event: Any
    if letter.kind in (INVOCATION, EVENT):
        return letter.payload or b"null"
    if letter.kind == BATCH:
        event = {"Records": list(records)}
    elif letter.envelope is not None:
        event = _event(letter.envelope)
    else:
        event = {"Records": [letter.message.as_record()]}
    written = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return written.encode("utf-8", "backslashreplace")  # half a character is no UTF-8


def _event(envelope: Envelope) -> dict[str, Any]:
    """The record with its correlation, also where that was made for it on its way."""
    source = envelope.source
    if source == "aws:kinesis" and not envelope.members["payload"].get("whole"):
        raw = origins.join(source, envelope.to_source(), envelope.members)
    else:
        raw = envelope.raw()
        if source == "aws:sqs":
            given = to_send(raw, envelope.context())
            delivered = {name: as_delivered(value) for name, value in given.items()}
            raw = {**raw, "messageAttributes": delivered}
    return origins.event(source, raw)


def _batch_to_stream(letter: Letter, records: Sequence[Mapping[str, Any]]) -> list[Part]:
    if letter.source != "aws:kinesis":
        raise DlqError("A DynamoDB stream takes no records; redrive it with --to function.")
    found: list[Part] = []
    for raw in records:
        record = KinesisRecord(dict(raw))
        data = b64decode(text(members(raw.get("kinesis")).get("data")))
        if user_records(data) is None:
            data = _with_key(data, record.idempotency_key)
        key = text(members(raw.get("kinesis")).get("partitionKey"))
        found.append(ToStream(letter.origin.partition("/consumer/")[0], key, data))
    return found


def _with_key(data: bytes, key: str) -> bytes:
    """A payload with the key by which an idempotency store knows it, where it has room for one."""
    taken = clew_payload.take(data)
    if taken.value is None or not key or not isinstance(taken.context, dict):
        return data
    return clew_payload.put(taken.data, {**taken.context, MEMBER: key}) or data


def _group(target: str, letter: Letter) -> str:
    """The message group where the record had none: its partition key, or itself."""
    if not target.endswith(".fifo"):
        return ""
    own = members(letter.envelope.members["origin"]) if letter.envelope is not None else {}
    key = text(own.get("messageGroupId")) or text(own.get("partitionKey")) or letter.id
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _deduplication(target: str, letter: Letter) -> str:
    """The same for every send of this message and no other one.

    The id that the record had once may have come within the last five minutes, and what is sent
    with it again would be dropped as a repeat.
    """
    if not target.endswith(".fifo"):
        return ""
    before = letter.message.system.get("MessageDeduplicationId", "")
    return sha256(f"{letter.id}/{letter.lives}/{letter.message.id}/{before}".encode()).hexdigest()
