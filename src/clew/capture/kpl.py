"""Kinesis records that the Kinesis Producer Library put together into one.

Such a record's data is a magic number, a protobuf message and the MD5 of that message (Kinesis
Producer Library, "KPL aggregated record format"). The message is::

    message AggregatedRecord {
      repeated string partition_key_table     = 1;
      repeated string explicit_hash_key_table = 2;
      repeated Record records                 = 3;
    }
    message Record {
      required uint64 partition_key_index     = 1;
      optional uint64 explicit_hash_key_index = 2;
      required bytes  data                    = 3;
      repeated Tag    tags                    = 4;
    }

It is read here by hand: the runtime has no dependencies, and protobuf is a large one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"
_MD5_BYTES = 16
#: More user records than one Kinesis record of 10 MiB holds if each has ten bytes around it. What
#: says that it has more is not read, as it would fill the memory with empty ones.
MAX_USER_RECORDS = 500_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
#: A field's tag is its number and, in the lowest three bits, the kind of its value.
_PARTITION_KEY, _HASH_KEY, _RECORD = 1 << 3 | _BYTES, 2 << 3 | _BYTES, 3 << 3 | _BYTES
_KEY_INDEX, _HASH_KEY_INDEX, _DATA = 1 << 3 | _VARINT, 2 << 3 | _VARINT, 3 << 3 | _BYTES


class UserRecord:
    """One record as the producer put it, ``number`` among those in one Kinesis record (from 0)."""

    __slots__ = ("data", "explicit_hash_key", "number", "partition_key")

    def __init__(self, data: bytes, partition_key: str, explicit_hash_key: str, number: int):
        self.data = data
        self.partition_key = partition_key
        self.explicit_hash_key = explicit_hash_key
        self.number = number


def user_records(data: bytes) -> list[UserRecord] | None:
    """The records that ``data`` was put together of, or None where it was not. Never raises."""
    end = len(data) - _MD5_BYTES
    if end < len(MAGIC) or not data.startswith(MAGIC) or data[end:] != _md5(data[4:end]):
        return None
    try:
        return _read(data, len(MAGIC), end)
    except (IndexError, ValueError):  # the sum is right and the message is none
        return None


def _md5(message: bytes) -> bytes:
    from hashlib import md5

    return md5(message, usedforsecurity=False).digest()


def _read(data: bytes, at: int, end: int) -> list[UserRecord]:
    partition_keys: list[str] = []
    hash_keys: list[str] = []
    spans: list[tuple[int, int]] = []
    for tag, start, stop in _fields(data, at, end):
        if tag == _PARTITION_KEY:
            partition_keys.append(data[start:stop].decode("utf-8"))
        elif tag == _HASH_KEY:
            hash_keys.append(data[start:stop].decode("utf-8"))
        elif tag == _RECORD:
            spans.append((start, stop))
            if len(spans) > MAX_USER_RECORDS:
                raise ValueError
    found: list[UserRecord] = []
    for span in spans:
        key, hash_key, payload = _indexes_and_data(data, *span)
        explicit = "" if hash_key is None else hash_keys[hash_key]
        found.append(UserRecord(payload, partition_keys[key], explicit, len(found)))
    return found


def _indexes_and_data(data: bytes, at: int, end: int) -> tuple[int, int | None, bytes]:
    """A ``Record``: where its keys stand in their tables, and what it holds."""
    key = hash_key = payload = None
    for tag, start, stop in _fields(data, at, end):
        if tag == _KEY_INDEX:
            key = _varint(data, start, stop)[0]
        elif tag == _HASH_KEY_INDEX:
            hash_key = _varint(data, start, stop)[0]
        elif tag == _DATA:
            payload = data[start:stop]
    if key is None or payload is None:
        raise ValueError
    return key, hash_key, payload


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(tag, start and end of its value) of each field between ``at`` and ``end``.

    Raises ``ValueError`` where the bytes are no message, or a field is longer than what is left.
    """
    while at < end:
        tag, at = _varint(data, at, end)
        kind = tag & 7
        if kind == _VARINT:
            start, (_, at) = at, _varint(data, at, end)
        elif kind == _BYTES:
            length, start = _varint(data, at, end)
            at = start + length
        elif kind in (_FIXED64, _FIXED32):
            start, at = at, at + (8 if kind == _FIXED64 else 4)
        else:  # groups, which the format does not have, and what protobuf does not know
            raise ValueError
        if at > end:
            raise ValueError
        yield tag, start, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number at ``at`` and where it ends; at most ten bytes (protobuf encoding, "Varints")."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError
