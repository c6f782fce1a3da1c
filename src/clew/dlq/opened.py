"""A letter with all that it points at, for people and for a file."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.capture.kinesis import records_of
from clew.capture.kpl import user_records
from clew.capture.record import members, text
from clew.dlq import hydrate
from clew.dlq.errors import DlqError
from clew.dlq.export import letter_json
from clew.dlq.letter import BATCH, Letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes to be shown, with what they are called."""

    name: str
    data: bytes
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter that is as whole as can be."""

    letter: Letter
    #: The records of a batch, as Lambda delivers them.
    records: tuple[Mapping[str, Any], ...] = ()
    #: Why something of it cannot be had, or "".
    problem: str = ""

    @property
    def payloads(self) -> list[Payload]:
        """What was sent, each record of a batch for itself."""
        if self.letter.kind == BATCH:
            return [one for raw in self.records for one in _of_record(raw)]
        data = self.letter.payload
        return [] if data is None else [Payload("Payload", data, self.letter.correlation_id)]

    @property
    def correlation_id(self) -> str:
        """The request that it is a part of: of a batch, that of its first record with one."""
        found = (one.correlation_id for one in self.payloads if one.correlation_id)
        return self.letter.correlation_id or next(found, "")

    def as_json(self) -> dict[str, Any]:
        """As a file has it, payloads included."""
        found = letter_json(self.letter) | {
            "payloads": [
                {"name": one.name, "correlationId": one.correlation_id, **_readable(one.data)}
                for one in self.payloads
            ],
            "hydrated": self.problem or None,
        }
        envelope = self.letter.envelope
        if envelope is not None and envelope.claim is None:
            found["envelope"] = envelope.members
        if self.records:
            found["records"] = list(self.records)
        return found


def open_letter(session: boto3.Session, letter: Letter) -> Opened:
    """Get what the letter points at; where it is gone, that is said and nothing raised."""
    try:
        letter = hydrate.whole(session, letter)
        return Opened(letter, tuple(hydrate.records(session, letter)))
    except DlqError as error:
        return Opened(letter, problem=str(error))


def _of_record(raw: Mapping[str, Any]) -> Iterator[Payload]:
    if "dynamodb" in raw:
        change = members(raw["dynamodb"])
        name = f"{text(raw.get('eventName'))} {text(change.get('SequenceNumber'))}"
        yield Payload(name, json.dumps(change).encode())
        return
    kinesis = members(raw.get("kinesis"))
    data = b64decode(text(kinesis.get("data")))
    where = f"record {text(kinesis.get('sequenceNumber'))}"
    found = user_records(data)
    if found is None:
        key = text(kinesis.get("partitionKey"))
        (record,) = records_of([raw])
        fields = wire.check(record.came_with()).fields
        yield Payload(f"{where}, key {key}", data, fields.get(wire.ID, ""))
        return
    for user, record in zip(found, records_of([raw]), strict=True):
        fields = wire.check(record.came_with()).fields
        name = f"{where}, key {user.partition_key}, user record {user.number}"
        yield Payload(name, user.data, fields.get(wire.ID, ""))


def _readable(data: bytes) -> dict[str, str]:
    try:
        return {"encoding": "utf-8", "data": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"encoding": "base64", "data": b64encode(data).decode()}
