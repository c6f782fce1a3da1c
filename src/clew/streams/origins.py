"""A record taken apart for an envelope, and put together again: one way for each source.

What the sender sent stands in the envelope's ``payload``, the rest of the record as Lambda gave it
in ``record``; together they are the record, byte for byte.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64

from clew.capture.record import members, text
from clew.streams.failure import NotAnEnvelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Record

#: Where a source's records have what was sent, and how it stands there.
_PLACES: dict[str, tuple[tuple[str, ...], str]] = {
    "aws:kinesis": (("kinesis", "data"), "base64"),
    "aws:dynamodb": (("dynamodb",), "json"),
    "aws:sqs": (("body",), "text"),
    "aws:sns": (("Sns", "Message"), "text"),
    "aws:kafka": (("value",), "base64"),
    "aws:logs": (("awslogs", "data"), "base64"),
}
#: Kinesis records that EventBridge Pipes delivers have the members of ``kinesis`` themselves.
_PIPES = (("data",), "base64")
#: The member that says of which user record the payload is, where KPL put several into one.
USER_RECORD = "userRecord"


def split(source: str, record: Record) -> dict[str, Any]:
    """``payload`` and ``record`` of an envelope, and ``userRecord`` where there is one."""
    raw = record.raw
    user = getattr(record, "_user_record", None)
    if user is not None:
        more = {"number": user.number, "explicitHashKey": user.explicit_hash_key}
        rest = _without(raw, *_place(source, raw))
        own = {**members(rest.get("kinesis")), "partitionKey": user.partition_key}
        return {
            "payload": encode(user.data),
            "record": {**rest, "kinesis": own},
            USER_RECORD: more,
        }
    data = _data(raw, *_place(source, raw))
    if data is None:  # of a shape that no source has: kept whole, and the payload is for reading
        return {"payload": {**encode(record.data), "whole": True}, "record": raw}
    return {"payload": encode(data), "record": _without(raw, *_place(source, raw))}


def join(source: str, payload: bytes, envelope: dict[str, Any]) -> Any:
    """The record as Lambda delivered it. Raises `NotAnEnvelope` for a source that is not known."""
    _check(source)
    rest = envelope.get("record")
    if envelope["payload"].get("whole") or not isinstance(rest, dict):
        return rest
    path, form = _place(source, rest)
    value: Any
    if form == "base64":
        value = b2a_base64(payload, newline=False).decode()
    elif form == "json":
        value = json.loads(payload.decode("utf-8", "surrogatepass"))
    else:
        value = payload.decode("utf-8", "surrogatepass")
    if len(path) == 1:
        return {**rest, path[0]: value}
    return {**rest, path[0]: {**members(rest.get(path[0])), path[1]: value}}


def record(source: str, raw: Any, envelope: dict[str, Any]) -> Record:
    """The record that ``raw`` is."""
    from importlib import import_module

    from clew.capture import EVENT_SOURCES, RECORD_SOURCES

    _check(source)
    name = RECORD_SOURCES.get(source) or EVENT_SOURCES.get(source)
    if name is None:
        message = f"A dead letter of {source} is a whole event: redrive it to its function."
        raise NotAnEnvelope(message)
    user = envelope.get(USER_RECORD)
    if source == "aws:kinesis" and isinstance(user, dict):
        from clew.capture.kinesis import KinesisRecord
        from clew.capture.kpl import UserRecord

        data = decode(envelope["payload"], "This dead letter")
        key = text(members(members(raw).get("kinesis")).get("partitionKey"))
        number = user.get("number")
        return KinesisRecord(
            raw,
            UserRecord(
                data,
                key,
                text(user.get("explicitHashKey")),
                number if isinstance(number, int) else 0,
            ),
        )
    found: list[Record] = import_module(name).records_of([raw])
    return found[0]


def event(source: str, raw: Any) -> dict[str, Any]:
    """A Lambda event with one record; a batch of log lines is an event itself."""
    if source == "aws:logs":
        return members(raw)
    if source != "aws:kafka":
        return {"Records": [raw]}
    topic, partition = text(members(raw).get("topic")), members(raw).get("partition")
    return {"eventSource": source, "records": {f"{topic}-{partition}": [raw]}}


def origin(record: Record) -> dict[str, Any]:
    """Where a record came from, for people and for `clew dlq`: place, keys and arrival."""
    found: dict[str, Any] = dict(record.position)
    for name, attribute in (
        ("partitionKey", "partition_key"),
        ("explicitHashKey", "explicit_hash_key"),
        ("deduplicationId", "deduplication_id"),
        ("eventName", "event_name"),
    ):
        value = getattr(record, attribute, "")
        if value:
            found[name] = value
    arrived = getattr(record, "arrived", None) or getattr(record, "sent_at", None)
    if arrived is not None:
        found["arrivedAt"] = arrived.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return found


def encode(data: bytes) -> dict[str, Any]:
    """Bytes as members of JSON: as text where they are UTF-8, else in base64."""
    try:
        return {"encoding": "utf-8", "bytes": len(data), "data": data.decode("utf-8")}
    except UnicodeDecodeError:
        shown = b2a_base64(data, newline=False).decode()
        return {"encoding": "base64", "bytes": len(data), "data": shown}


def decode(payload: dict[str, Any], what: str) -> bytes:
    """The bytes of `encode`. Raises `NotAnEnvelope` about ``what``."""
    encoding, data = payload.get("encoding"), payload.get("data")
    if isinstance(data, str):
        try:
            if encoding == "utf-8":
                return data.encode("utf-8")
            if encoding == "base64":
                return a2b_base64(data, strict_mode=True)
        except (Base64Error, UnicodeEncodeError, ValueError):
            pass
    why = "is in S3, and was not fetched" if "claimCheck" in payload else "cannot be read"
    message = f"{what} has a payload that {why} (encoding {str(encoding)[:40]!r})."
    raise NotAnEnvelope(message)


def _check(source: str) -> None:
    if source not in _PLACES:
        message = f"This dead letter is of {source!r}, and this clew does not know that source."
        raise NotAnEnvelope(message)


def _place(source: str, raw: Any) -> tuple[tuple[str, ...], str]:
    if source == "aws:kinesis" and "kinesis" not in members(raw):
        return _PIPES
    return _PLACES.get(source, ((), ""))


def _data(raw: Any, path: tuple[str, ...], form: str) -> bytes | None:
    """The bytes at ``path``; None where they do not stand there as they should."""
    value = raw
    for name in path:
        value = members(value).get(name)
    if not path or value is None:
        return None
    if form == "json":
        return (
            json.dumps(value, separators=(",", ":")).encode() if isinstance(value, dict) else None
        )
    if not isinstance(value, str):
        return None
    if form == "text":
        return value.encode("utf-8", "surrogatepass")
    try:
        data = a2b_base64(value, strict_mode=True)
    except (Base64Error, ValueError):
        return None
    return data if b2a_base64(data, newline=False).decode() == value else None


def _without(raw: Any, path: tuple[str, ...], _form: str) -> dict[str, Any]:
    """``raw`` without what stands at ``path``, in a copy."""
    rest = {name: value for name, value in members(raw).items() if name != path[0]}
    if len(path) == 1:
        return rest
    inner = members(members(raw).get(path[0]))
    return {**rest, path[0]: {name: one for name, one in inner.items() if name != path[1]}}
