"""Kinesis data streams: a context inside each record's JSON payload."""

from __future__ import annotations

from clew.forward.limits import KINESIS_RECORD, KINESIS_REQUEST, length, room
from clew.forward.payloads import Splicer
from clew.forward.sending import answered, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _target(params: dict[str, Any]) -> str:
    return str(params.get("StreamARN") or params.get("StreamName", ""))


def _position(parsed: dict[str, Any]) -> dict[str, str]:
    return {
        "shardId": parsed.get("ShardId", ""),
        "sequenceNumber": parsed.get("SequenceNumber", ""),
    }


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
        answered(sent[0], _position(parsed))


class PutRecords:
    """``PutRecords``: each record has a span of its own, and an outcome of its own."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """As many records as the request's limit has room for, in order."""
        given, target, splicer = params["Records"], _target(params), Splicer(correlation)
        if not isinstance(given, list | tuple):
            return []  # botocore says what is wrong with them
        sizes = [length(record["Data"]) + length(record["PartitionKey"]) for record in given]
        left = KINESIS_REQUEST - sum(sizes)
        records, all_sent = [], []
        for record, size in zip(given, sizes, strict=True):
            sent = new_sent("kinesis", "PutRecords", target, correlation)
            all_sent.append(sent)
            space = min(room(size, KINESIS_RECORD), left)
            data = splicer.into(record["Data"], sent, space)
            if data is None:
                records.append(record)
            else:
                left -= splicer.added
                records.append({**record, "Data": data})  # the user's own stays
        params["Records"] = records
        return all_sent

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note each record's sequence number, or why the stream did not take it."""
        for one, result in zip(sent, parsed.get("Records", ()), strict=False):
            if result.get("ErrorCode"):
                refused(one, f"{result['ErrorCode']}: {result.get('ErrorMessage')}")
            else:
                answered(one, _position(result))


OPERATIONS = {"PutRecord": PutRecord, "PutRecords": PutRecords}
