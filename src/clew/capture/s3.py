"""S3 event notifications: of an upload by a function that forwards, the ids are in the object.

A notification names the object and carries nothing of its metadata. To read that costs a request,
so it is made only when asked for: `S3Record.fetch_correlation`. `s3_records` finds notifications
wherever they came: straight, through SNS, SQS (also SNS in SQS) or EventBridge.
"""

from __future__ import annotations

import json

from clew.capture.delivery import Delivery
from clew.capture.nested import open_message
from clew.capture.reading import Reading
from clew.capture.receive import receive
from clew.capture.record import Record, members, text
from clew.wire import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from clew.correlation import Correlation

NAME = "aws:s3"
#: One client for all records of a process that bring none, made when it is first needed.
_clients: dict[str, Any] = {}


def read(event: dict[str, Any]) -> Reading:
    """One `S3Record` per record."""
    return Reading(NAME, event, records=records_of(event["Records"]))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    return [S3Record(raw) for raw in raws]


class S3Record(Record):
    """What happened to an object. `payload` is S3's own description of it, a dict.

    Names follow the S3 user guide, "Event message structure".
    """

    __slots__ = ("_from_bus", "_parent", "_s3")

    def __init__(self, raw: Any, parent: Record | Delivery | None = None) -> None:
        super().__init__(raw)
        self._parent = parent
        self._from_bus = "detail" in members(raw)
        self._s3 = members(members(raw).get("detail" if self._from_bus else "s3"))

    def came_with(self) -> Iterable[tuple[object, object]]:
        return ()

    @property
    def correlation(self) -> Correlation:
        """That of the message it came in, or a fresh one, until `fetch_correlation` found one."""
        if self._correlation is None and self._parent is not None:
            return self._parent.correlation
        return super().correlation

    def fetch_correlation(self, s3: Any = None) -> Correlation:
        """Read the ids that the uploader left in the object's metadata: one ``HeadObject``.

        ``s3`` is a boto3 client; without one, clew makes one and keeps it. Needs
        ``s3:GetObject``. Where the object is gone, may not be read or has no ids, the
        correlation stays as it is, and `problem` says why. Never raises.
        """
        before = self.correlation
        try:
            wanted = {"Bucket": self.bucket, "Key": self.key, "VersionId": self.version_id}
            answer = (s3 or _client()).head_object(
                **{name: value for name, value in wanted.items() if value}
            )
            inbound = check(answer["Metadata"].items())
        except Exception as error:  # noqa: BLE001  (the ids of an object never break the request)
            self.problem = f"the object's ids cannot be read: {type(error).__name__}: {error}"
            return before
        self.dropped = inbound.dropped
        if inbound.fields or inbound.trace_id:
            self._correlation = receive(
                inbound,
                before.id,
                before.invocation,
                span_id=before.span_id,  # it is the same receive
            )
        return self.correlation

    @property
    def payload(self) -> dict[str, Any]:
        """S3's description: bucket and object."""
        return self._s3

    @property
    def data(self) -> bytes:
        """The description as JSON in UTF-8."""
        return json.dumps(self._s3, separators=(",", ":")).encode()

    @property
    def event_name(self) -> str:
        """What happened: ``ObjectCreated:Put``; from EventBridge ``Object Created``."""
        return text(members(self.raw).get("detail-type" if self._from_bus else "eventName"))

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return text(members(self._s3.get("bucket")).get("name"))

    @property
    def key(self) -> str:
        """The object's key. S3 encodes it as in a URL, EventBridge does not; here it is plain."""
        key = text(self._object.get("key"))
        if self._from_bus:
            return key
        from urllib.parse import unquote_plus

        return unquote_plus(key)

    @property
    def size(self) -> int:
        """The object's size in bytes; -1 where the event does not say (it was removed, say)."""
        size = self._object.get("size")
        return size if isinstance(size, int) else -1

    @property
    def etag(self) -> str:
        """The object's entity tag, or ""."""
        return text(self._object.get("eTag", self._object.get("etag")))

    @property
    def version_id(self) -> str:
        """The object's version, where the bucket keeps versions, else ""."""
        return text(self._object.get("versionId", self._object.get("version-id")))

    @property
    def sequencer(self) -> str:
        """What orders the events of one key, compared as hexadecimal of the same length."""
        return text(self._object.get("sequencer"))

    @property
    def position(self) -> dict[str, str]:
        """The bucket and the key."""
        return {"bucket": self.bucket, "key": self.key}

    @property
    def _object(self) -> dict[str, Any]:
        return members(self._s3.get("object"))


def s3_records(source: object) -> list[S3Record]:
    """The S3 notifications in ``source``; an empty list where there are none. Never raises.

    ``source`` is a Lambda event, what `clew.capture` gave for one, or a record of SNS, SQS or S3.
    Each `S3Record` has the correlation of the message that it came in.
    """
    from clew.capture import capture

    if isinstance(source, S3Record):
        return [source]
    if isinstance(source, Record):
        return _in_text(source)
    delivery = source if isinstance(source, Delivery) else capture(source)
    if members(delivery.event).get("source") == "aws.s3":
        return [S3Record(delivery.event, delivery)]
    return [found for record in delivery.records for found in s3_records(record)]


def _in_text(record: Record) -> list[S3Record]:
    """The notifications in the text of a message."""
    try:
        message = record.payload
        value = json.loads(open_message(message).message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        return []
    if members(value).get("source") == "aws.s3":
        return [S3Record(value, record)]
    listed = members(value).get("Records")
    return [
        S3Record(raw, record)
        for raw in (listed if isinstance(listed, list) else ())
        if members(raw).get("eventSource") == NAME
    ]


def _client() -> Any:
    if "s3" not in _clients:
        import boto3

        _clients["s3"] = boto3.client("s3")
    return _clients["s3"]
