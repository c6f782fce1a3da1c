"""clew's own store, over HTTP.

The protocol is one request: ``POST /ingest``, ``Content-Type: application/x-ndjson``,
``Content-Encoding: gzip``, ``Authorization: Bearer TOKEN``. Each line of the body is a batch as a
subscription of CloudWatch Logs delivers it, so that ``clew store import`` reads the same text, and
events keep their ids: what comes twice is stored once. The answer is 200 and
``{"stored": 12, "repeated": 3}`` when all of it is on disk.
"""

from __future__ import annotations

from json.encoder import encode_basestring as quote
from typing import TYPE_CHECKING

from clew.shipping.answers import TAKEN, Outcome, check
from clew.shipping.documents import to_json
from clew.shipping.sinks.http import Poster

if TYPE_CHECKING:
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line, Origin
    from clew.shipping.settings import Address

PATH = "/ingest"
CONTENT_TYPE = "application/x-ndjson"


class StoreSink:
    """A store that is served somewhere."""

    max_lines = 10_000
    max_bytes = 8 << 20

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self.name = poster.name

    def pack(self, line: Line) -> bytes:
        """A log event."""
        event = (
            f'{{"id":{quote(line.event_id)},"timestamp":{line.at_ms},'
            f'"message":{quote(line.message)}}}'
        )
        return event.encode("utf-8", "replace")

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send one request."""
        check(*self._poster.post(body_of(parcels), CONTENT_TYPE, timeout_s), self.name)
        return TAKEN

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


def body_of(parcels: list[Parcel]) -> bytes:
    """A batch a line, one for each stream."""
    streams: dict[Origin, list[bytes]] = {}
    for parcel in parcels:
        streams.setdefault(parcel.line.origin, []).append(parcel.data)
    lines = []
    for origin, events in streams.items():
        head = to_json(
            {
                "messageType": "DATA_MESSAGE",
                "owner": origin.owner,
                "logGroup": origin.log_group,
                "logStream": origin.stream,
                "subscriptionFilters": list(origin.filters),
            }
        )
        lines.append(head[:-1] + b',"logEvents":[' + b",".join(events) + b"]}\n")
    return b"".join(lines)


def open_sink(address: Address) -> StoreSink:
    """``store+https://HOST``."""
    address.needs_http()
    return StoreSink(Poster(address, PATH))
