"""Firehose: a context inside each record's JSON payload, whose line ending stays where it is."""

from __future__ import annotations

from clew.forward.limits import FIREHOSE_RECORD, FIREHOSE_REQUEST, length
from clew.forward.payloads import Splicer
from clew.forward.sending import answered, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


class PutRecord:
    """``PutRecord``."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One record."""
        record = params["Record"]
        sent = new_sent("firehose", "PutRecord", str(params["DeliveryStreamName"]), correlation)
        space = FIREHOSE_RECORD - length(record["Data"])
        data = Splicer(correlation).into(record["Data"], sent, space)
        if data is not None:
            params["Record"] = {**record, "Data": data}
        return [sent]

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the record's id."""
        answered(sent[0], {"recordId": parsed.get("RecordId", "")})


class PutRecordBatch:
    """``PutRecordBatch``: each record has a span of its own, and an outcome of its own."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """As many records as the request's limit has room for, in order."""
        target, splicer = str(params["DeliveryStreamName"]), Splicer(correlation)
        left = FIREHOSE_REQUEST - sum(length(record["Data"]) for record in params["Records"])
        records, all_sent = [], []
        for record in params["Records"]:
            sent = new_sent("firehose", "PutRecordBatch", target, correlation)
            all_sent.append(sent)
            space = min(FIREHOSE_RECORD - length(record["Data"]), left)
            data = splicer.into(record["Data"], sent, space)
            if data is None:
                records.append(record)
            else:
                left -= splicer.added
                records.append({**record, "Data": data})
        params["Records"] = records
        return all_sent

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note each record's id, or why it was not taken."""
        for one, result in zip(sent, parsed.get("RequestResponses", ()), strict=False):
            if result.get("ErrorCode"):
                refused(one, f"{result['ErrorCode']}: {result.get('ErrorMessage')}")
            else:
                answered(one, {"recordId": result.get("RecordId", "")})


OPERATIONS = {"PutRecord": PutRecord, "PutRecordBatch": PutRecordBatch}
