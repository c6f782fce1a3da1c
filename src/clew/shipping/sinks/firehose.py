"""Amazon Data Firehose: ``PutRecordBatch``, a JSON object and a line break each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.shipping.answers import Outcome
from clew.shipping.documents import document, to_json
from clew.shipping.sinks import aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address

#: Firehose API reference, "PutRecordBatch": a record has up to 1,000 KiB.
MAX_RECORD = 1_000 << 10


class FirehoseSink:
    """A Firehose stream."""

    max_lines = 500  # "PutRecordBatch": up to 500 records, and 4 MiB
    max_bytes = 4 << 20

    def __init__(self, client: Any, stream: str) -> None:
        self._client = client
        self._stream = stream
        self.name = f"firehose://{stream}"

    def pack(self, line: Line) -> bytes:
        """The line's document."""
        return to_json(document(line)) + b"\n"

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:  # noqa: ARG002
        """Send one request; each record is taken or not by itself."""
        from botocore.exceptions import BotoCoreError, ClientError

        refused = {
            place: f"a record of Firehose has up to {MAX_RECORD:,} bytes, and this {size:,}"
            for place, parcel in enumerate(parcels)
            if (size := len(parcel.data)) > MAX_RECORD
        }
        places = [place for place in range(len(parcels)) if place not in refused]
        if not places:
            return Outcome(refused=refused)
        try:
            answer = self._client.put_record_batch(
                DeliveryStreamName=self._stream,
                Records=[{"Data": parcels[place].data} for place in places],
            )
        except (BotoCoreError, ClientError) as error:
            raise aws.failure(error, self.name) from None
        return read_answer(answer, places, refused, self.name)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def read_answer(
    answer: dict[str, Any], places: list[int], refused: dict[int, str], name: str
) -> Outcome:
    """What became of the records at ``places``. What failed may be taken a little later."""
    told = answer.get("RequestResponses", [])
    again = [
        place
        for at, place in enumerate(places)
        if at >= len(told) or told[at].get("ErrorCode") or not told[at].get("RecordId")
    ]
    codes = sorted({str(one.get("ErrorCode")) for one in told if one.get("ErrorCode")})
    why = f"{name} did not take {len(again)} of {len(places)} records: {', '.join(codes)[:200]}"
    return Outcome(tuple(again), refused, why if again else "")


def open_sink(address: Address, client: Callable[[str, str], Any] = aws.client) -> FirehoseSink:
    """``firehose://STREAM``, with ``?region=`` where it is in another one."""
    return FirehoseSink(client("firehose", address.options.get("region", "")), address.host)
