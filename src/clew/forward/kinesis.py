"""Kinesis data streams: a context inside each record's JSON payload."""

from __future__ import annotations

from clew.forward.limits import KINESIS_LARGE_RECORD, KINESIS_RECORD, KINESIS_REQUEST
from clew.forward.payloads import stamped
from clew.forward.sending import answered, goes_untouched, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _stamp(record: dict[str, Any], sent: Sent) -> bytes | None:
    data = record["Data"]
    key_bytes = len(str(record.get("PartitionKey", "")).encode())
    # A stream that takes this one was set to take larger ones.
    large = isinstance(data, bytes | bytearray | str) and len(data) + key_bytes > KINESIS_RECORD
    limit = KINESIS_LARGE_RECORD if large else KINESIS_RECORD
    return stamped(data, sent, max_bytes=limit - key_bytes)


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
        data = _stamp(params, sent)
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
        target = _target(params)
        room = KINESIS_REQUEST - sum(
            len(record["Data"]) + len(record.get("PartitionKey", ""))
            for record in params["Records"]
        )
        records, all_sent = [], []
        for record in params["Records"]:
            sent = new_sent("kinesis", "PutRecords", target, correlation)
            all_sent.append(sent)
            data = _stamp(record, sent)
            if data is not None:
                added = len(data) - len(record["Data"])
                if added <= room:
                    room -= added
                    record = {**record, "Data": data}  # noqa: PLW2901  (the user's own stays)
                else:
                    goes_untouched(sent, "the request would pass the service's limit of its size")
            records.append(record)
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
