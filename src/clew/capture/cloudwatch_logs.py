"""CloudWatch Logs subscriptions: log events, and the ids in the lines that clew wrote."""

from __future__ import annotations

import json
import zlib
from binascii import a2b_base64

from clew import payload, wire
from clew.capture.reading import Reading
from clew.capture.record import Record, members, moment_ms, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

NAME = "aws:logs"
#: A subscription's batch is small once unpacked; what unpacks to more is no log but a bomb. Lambda
#: takes events of 6 MB, which text of ten times that size fits into.
MAX_BYTES = 64 * 1024 * 1024


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a subscription's."""
    return isinstance(event.get("awslogs"), dict)


def read(event: dict[str, Any]) -> Reading:
    """One `LogEventRecord` per log event; none for the message that only tests the connection."""
    try:
        batch = json.loads(_unzip(event["awslogs"]["data"]))
    except (KeyError, TypeError, ValueError, RecursionError, zlib.error) as error:
        return Reading(NAME, event, problem=f"awslogs.data cannot be unpacked: {error}")
    log_events = members(batch).get("logEvents")
    if members(batch).get("messageType") == "CONTROL_MESSAGE" or not isinstance(log_events, list):
        return Reading(NAME, event)
    return Reading(NAME, event, records=[LogEventRecord(raw, batch) for raw in log_events])


def _unzip(encoded: str) -> bytes:
    unzip = zlib.decompressobj(wbits=31)  # gzip
    data = unzip.decompress(a2b_base64(encoded), MAX_BYTES)
    if unzip.unconsumed_tail:
        message = f"it is larger than {MAX_BYTES} bytes"
        raise ValueError(message)
    if not unzip.eof:
        message = "it ends too early"
        raise ValueError(message)
    return data


class LogEventRecord(Record):
    """A log event that a subscription filter let through.

    `payload` is its text; of a line that clew wrote, the correlation is the line's. Names follow
    the CloudWatch Logs user guide, "Real-time processing of log data with subscriptions".
    """

    __slots__ = ("_batch",)

    def __init__(self, raw: Any, batch: dict[str, Any]) -> None:
        super().__init__(raw)
        self._batch = batch

    def came_with(self) -> Iterable[tuple[object, object]]:
        line = self.payload
        if wire.ID not in line:
            return ()
        found = payload.decode_object(line.encode("utf-8", "surrogatepass"))
        if found is None:
            return ()
        trace, span = found.get("traceId"), found.get("spanId")
        own = [(wire.TRACEPARENT, f"00-{trace}-{span}-01")] if trace and span else []
        return [*found.items(), *own]

    @property
    def payload(self) -> str:
        """The log event's text."""
        return text(members(self.raw).get("message"))

    @property
    def data(self) -> bytes:
        """The text in UTF-8."""
        return self.payload.encode("utf-8", "surrogatepass")

    @property
    def event_id(self) -> str:
        """CloudWatch's id of the log event."""
        return text(members(self.raw).get("id"))

    @property
    def at(self) -> datetime | None:
        """When it was logged (UTC), or None where the event does not say."""
        return moment_ms(members(self.raw).get("timestamp"))

    @property
    def extracted_fields(self) -> dict[str, Any]:
        """What the filter's pattern took out of the line, where it names fields; else empty."""
        return members(members(self.raw).get("extractedFields"))

    @property
    def log_group(self) -> str:
        """The log group's name."""
        return text(self._batch.get("logGroup"))

    @property
    def log_stream(self) -> str:
        """The log stream's name."""
        return text(self._batch.get("logStream"))

    @property
    def owner(self) -> str:
        """The account whose log it is."""
        return text(self._batch.get("owner"))

    @property
    def position(self) -> dict[str, str]:
        """The log event's id. A batch is one log stream's."""
        return {"eventId": self.event_id}
