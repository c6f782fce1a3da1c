"""What a subscription of CloudWatch Logs delivers, unpacked within bounds. Pure.

A subscription's batch is JSON in gzip (CloudWatch Logs user guide, "Real-time processing of log
data with subscriptions"); on its way through Firehose several may be joined in one record.
"""

from __future__ import annotations

import json
import zlib
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from clew.shipping.errors import UnreadableError

#: Lambda takes events of 6 MB; what unpacks to more than ten times as much is no log but a bomb.
MAX_UNPACKED = 64 << 20
#: Batches joined in one piece. Each costs a copy of what is behind it.
MAX_MEMBERS = 500
_MAGIC = b"\x1f\x8b"
_decode = json.JSONDecoder().raw_decode


def batches(packed: str | bytes, limit: int = MAX_UNPACKED) -> list[dict[str, Any]]:
    """The batches in base64 text, or in bytes: as gzip of one or more members, or plain.

    Args:
        packed: Untrusted.
        limit: Bytes that it may have when it is unpacked.

    Raises:
        UnreadableError: It is nothing of the kind, or larger.
    """
    if isinstance(packed, str):
        try:
            packed = a2b_base64(packed, strict_mode=True)
        except (Base64Error, ValueError) as error:
            raise UnreadableError(f"What was delivered is no base64: {error}.") from None
    data = gunzip(packed, limit) if packed[:2] == _MAGIC else packed
    if len(data) > limit:
        raise _too_large(limit)
    return _objects(data)


def gunzip(packed: bytes, limit: int = MAX_UNPACKED) -> bytes:
    """All members of a gzip file; zeros may follow, as padding.

    Raises:
        UnreadableError: It is damaged, ends in the middle, or has more than ``limit`` bytes.
    """
    parts: list[bytes] = []
    size = 0
    while packed[:2] == _MAGIC:
        if len(parts) == MAX_MEMBERS:
            raise UnreadableError(
                f"What was delivered has more than {MAX_MEMBERS} gzip members; that is no log."
            )
        unzip = zlib.decompressobj(wbits=31)
        try:
            part = unzip.decompress(packed, limit - size + 1)
        except zlib.error as error:
            raise UnreadableError(f"What was delivered is damaged: {error}.") from None
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if not unzip.eof:
            raise UnreadableError("What was delivered ends in the middle of its gzip data.")
        parts.append(part)
        packed = unzip.unused_data
    if packed.strip(b"\0"):
        raise UnreadableError("What was delivered is damaged: something follows its gzip data.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _objects(data: bytes) -> list[dict[str, Any]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"What was delivered is no UTF-8: {error}.") from None
    found: list[dict[str, Any]] = []
    at = 0
    while True:
        while text[at : at + 1] in (" ", "\n", "\r", "\t"):
            at += 1
        if at >= len(text):
            if not found:
                raise UnreadableError("What was delivered is empty.")
            return found
        try:
            value, at = _decode(text, at)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"What was delivered is no JSON: {error}.") from None
        if not isinstance(value, dict) or "messageType" not in value:
            raise UnreadableError(
                "What was delivered is JSON, but no batch of a log subscription: it has no"
                " messageType."
            )
        found.append(value)


def _too_large(limit: int) -> UnreadableError:
    return UnreadableError(
        f"What was delivered unpacks to more than {limit:,} bytes; no subscription sends so much."
    )
