"""Dead letters that come back: from messages to the records that they hold."""

from __future__ import annotations

from clew.streams.batch import Mail
from clew.streams.clients import client
from clew.streams.engine import run_batch
from clew.streams.envelope import Envelope, unseal
from clew.streams.failure import NotAnEnvelope
from clew.streams.plan import Plan
from clew.streams.sources import SQS, source_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Any

    from clew.capture import Delivery, Record
    from clew.streams.sources import Source


class Redelivered:
    """The source of records that came in messages of another one: a queue or a topic."""

    __slots__ = ("_messages", "_source", "name", "reports", "stops_all")

    def __init__(self, source: Source, messages: dict[Record, Record]) -> None:
        self._source = source
        self._messages = messages
        #: A message that could not be opened is a record of the queue's own.
        self.name = source.name
        self.stops_all = source.stops_all
        self.reports = source.reports

    def key(self, record: Any) -> Hashable:
        """That of its message."""
        return self._source.key(self._messages[record])

    def scope(self, record: Any) -> Hashable:
        """That of its message."""
        return self._source.scope(self._messages[record])

    def identifier(self, record: Any) -> object:
        """That of its message."""
        return self._source.identifier(self._messages[record])

    def reported(self, returned: Iterable[Any]) -> list[Any]:
        """Those whose messages the source wants named."""
        return self._source.reported(returned)


def run_again(plan: Plan, delivery: Delivery, context: Any) -> Any:
    """`run_batch` for the records in the dead letters of ``delivery``.

    A message that is none is a record itself, and fails with `NotAnEnvelope`.
    """
    mail = Mail()
    for message in delivery.records:
        try:
            envelope, record = open_message(message)
        except Exception as error:  # noqa: BLE001  (it fails alone)
            mail.problems[message] = error
            mail.messages[message] = message
        else:
            mail.envelopes[record] = envelope
            mail.messages[record] = message
    source = source_of(delivery.source, SQS)
    again = Plan(
        plan.function,
        Redelivered(source, mail.messages),
        plan.policy,
        lanes=plan.lanes,
        report=plan.report,
        decode=plan.decode,
        idempotency=plan.idempotency,
        is_async=plan.is_async,
    )
    delivery.records = list(mail.messages)
    try:
        return run_batch(again, delivery, context, mail)
    finally:
        for record, message in mail.messages.items():
            if record is not message:  # the line of the invocation names the message
                message.outcome, message.error = record.outcome, record.error
                message.attempts, message.ms = record.attempts, record.ms


def open_message(message: Record) -> tuple[Envelope, Record]:
    """The envelope in a message and the record in that; what is in S3 is fetched.

    Raises `NotAnEnvelope`, and what S3 raises.
    """
    envelope = unseal(message.data)
    if envelope.claim is not None:
        envelope = fetch(envelope, *envelope.claim)
    record = envelope.record()
    # The message has the correlation, with the dead letter as its parent; where it has none, what
    # came with the record itself still counts.
    same = message.correlation.id == envelope.correlation_id
    record.arrive_in(message, with_its_correlation=same)
    return envelope, record


def fetch(envelope: Envelope, bucket: str, key: str) -> Envelope:
    """``envelope`` with its payload, which the object of its claim check has.

    Raises `NotAnEnvelope` where that is gone, and what S3 raises.
    """
    s3 = client("s3")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        message = f"The record of dead letter {envelope.id} is gone from s3://{bucket}/{key}."
        raise NotAnEnvelope(message) from None
    return Envelope({**envelope.members, "payload": unseal(body).members["payload"]})
