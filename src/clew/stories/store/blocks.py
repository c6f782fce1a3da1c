"""Messages are kept compressed, some dozens together: their likeness makes them a tenth. Pure."""

from __future__ import annotations

import struct
import zlib

#: A line's place is its block's number times this, and its place in the block.
LINES = 64
#: A block that has grown to so many bytes takes no more lines.
MAX_BYTES = 1 << 18
#: More than any block has, if its lines are all as long as they may be.
_MOST = 1 << 29

_COUNT = struct.Struct("<I")


class DamagedError(Exception):
    """A block does not hold what was put into it."""


def pack(texts: list[bytes]) -> bytes:
    """Messages as one block."""
    lengths = struct.pack(f"<{len(texts) + 1}I", len(texts), *map(len, texts))
    return zlib.compress(lengths + b"".join(texts), 1)


def unpack(block: bytes) -> list[str]:
    """The messages of a block.

    Raises:
        DamagedError: It is none.
    """
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(block, _MOST)
        if not inflate.eof:
            raise DamagedError
        (count,) = _COUNT.unpack_from(data)
        at = 4 * (count + 1)
        texts = []
        for length in struct.unpack_from(f"<{count}I", data, 4):
            texts.append(data[at : at + length].decode())
            at += length
    except (zlib.error, struct.error, UnicodeDecodeError, TypeError) as error:
        raise DamagedError from error
    if at != len(data):
        raise DamagedError
    return texts
