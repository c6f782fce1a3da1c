"""Several records put into one, in the format of the Kinesis Producer Library.

The format is described in `clew.capture.kpl`, which reads it. Records of one partition key go into
one, so that they go where the key goes, however the stream is resharded meanwhile.
"""

from __future__ import annotations

from clew.capture.kpl import MAGIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: The Kinesis Producer Library's own default, "AggregationMaxSize" (bytes).
MAX_SIZE = 51_200
#: Bytes around each record and around all of them, at most.
AROUND_EACH, AROUND_ALL = 16, 64


def pack(partition_key: str, explicit_hash_key: str, all_data: Sequence[bytes]) -> bytes:
    """One Kinesis record's data that holds a record for each of ``all_data``."""
    from hashlib import md5

    message = [_field(1, partition_key.encode())]
    index = b"\x08\x00"  # the first (and only) key of the table
    if explicit_hash_key:
        message.append(_field(2, explicit_hash_key.encode()))
        index += b"\x10\x00"
    message += [_field(3, index + _field(3, data)) for data in all_data]
    body = b"".join(message)
    return MAGIC + body + md5(body, usedforsecurity=False).digest()


def _field(number: int, value: bytes) -> bytes:
    """A field of bytes (protobuf encoding, "Length-Delimited Records")."""
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    done = bytearray()
    while value > 0x7F:
        done.append(value & 0x7F | 0x80)
        value >>= 7
    done.append(value)
    return bytes(done)
