"""Kinesis data streams: a context inside each record's JSON payload."""

from __future__ import annotations

from clew.forward.limits import (
    KINESIS_KEY,
    KINESIS_RECORD,
    KINESIS_REQUEST,
    all_fit,
    length,
    room,
)
from clew.forward.payloads import Splicer
from clew.forward.sending import all_answered, answered, new_batch, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.forward.sending import Messages
    from clew.invocation import Sent


def _target(params: dict[str, Any]) -> str:
    return str(params.get("StreamARN") or params.get("StreamName", ""))


_NAMES = {"shardId": "ShardId", "sequenceNumber": "SequenceNumber"}


class PutRecord:
    """``PutRecord``."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One record."""
        sent = new_sent("kinesis", "PutRecord", _target(params), correlation)
        size = length(params["Data"]) + length(params["PartitionKey"])
        data = Splicer(correlation).into(params["Data"], sent, room(size, KINESIS_RECORD))
        if data is not None:
            params["Data"] = data
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the shard and the sequence number."""
        answered(sent[0], {name: parsed.get(theirs, "") for name, theirs in _NAMES.items()})


class PutRecords:
    """``PutRecords``: each record has a span of its own, and an outcome of its own."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> Messages:
        """As many records as the request's limit has room for, in order."""
        given, splicer = params["Records"], Splicer(correlation)
        all_sent = new_batch(
            "kinesis", "PutRecords", _target(params), correlation, length=len(given), names=_NAMES
        )
        all_data = [record["Data"] for record in given]
        each = KINESIS_KEY + splicer.added
        if all_fit(all_data, each, KINESIS_RECORD[0], KINESIS_REQUEST):
            stamped = splicer.into_all(all_data, all_sent)
        else:
            stamped = _as_many_as_fit(given, all_sent, splicer)
        params["Records"] = [
            record if data is None else {**record, "Data": data}  # the user's own stays
            for record, data in zip(given, stamped, strict=True)
        ]
        return all_sent

    @staticmethod
    def answered(sent: Messages, parsed: dict[str, Any]) -> None:
        """Note each record's sequence number, or why the stream did not take it."""
        all_answered(sent, parsed.get("Records", ()), _NAMES)


def _as_many_as_fit(
    given: list[dict[str, Any]], all_sent: Messages, splicer: Splicer
) -> list[bytes | str | None]:
    sizes = [length(record["Data"]) + length(record["PartitionKey"]) for record in given]
    left = KINESIS_REQUEST - sum(sizes)
    stamped = []
    for record, size, sent in zip(given, sizes, all_sent, strict=True):
        data = splicer.into(record["Data"], sent, min(room(size, KINESIS_RECORD), left))
        left -= 0 if data is None else splicer.added
        stamped.append(data)
    return stamped


OPERATIONS = {"PutRecord": PutRecord, "PutRecords": PutRecords}
