"""Firehose: a context inside each record's JSON payload, whose line ending stays where it is."""

from __future__ import annotations

from clew.forward.limits import FIREHOSE_RECORD, FIREHOSE_REQUEST, all_fit, length
from clew.forward.payloads import Splicer
from clew.forward.sending import all_answered, answered, new_batch, new_sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.forward.sending import Messages
    from clew.invocation import Sent

_NAMES = {"recordId": "RecordId"}


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
    def stamp(params: dict[str, Any], correlation: Correlation) -> Messages:
        """As many records as the request's limit has room for, in order."""
        given, splicer = params["Records"], Splicer(correlation)
        target = str(params["DeliveryStreamName"])
        all_sent = new_batch(
            "firehose", "PutRecordBatch", target, correlation, length=len(given), names=_NAMES
        )
        all_data = [record["Data"] for record in given]
        if all_fit(all_data, splicer.added, FIREHOSE_RECORD, FIREHOSE_REQUEST):
            stamped = splicer.into_all(all_data, all_sent)
        else:
            stamped = _as_many_as_fit(all_data, all_sent, splicer)
        params["Records"] = [
            record if data is None else {**record, "Data": data}  # the user's own stays
            for record, data in zip(given, stamped, strict=True)
        ]
        return all_sent

    @staticmethod
    def answered(sent: Messages, parsed: dict[str, Any]) -> None:
        """Note each record's id, or why it was not taken."""
        all_answered(sent, parsed.get("RequestResponses", ()), _NAMES)


def _as_many_as_fit(
    all_data: list[Any], all_sent: Messages, splicer: Splicer
) -> list[bytes | str | None]:
    left = FIREHOSE_REQUEST - sum(map(length, all_data))
    stamped = []
    for data, sent in zip(all_data, all_sent, strict=True):
        done = splicer.into(data, sent, min(FIREHOSE_RECORD - length(data), left))
        left -= 0 if done is None else splicer.added
        stamped.append(done)
    return stamped


OPERATIONS = {"PutRecord": PutRecord, "PutRecordBatch": PutRecordBatch}
