"""Log lines as the rows of one transaction. No database here."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from clew.stories.store import blocks
from clew.stories.store.facts import facts_of, ids_of, origin_field
from clew.stories.store.schema import HASH_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_HASH = (1 << HASH_BITS) - 1
#: The last time that leaves room for the hash in 63 bits: in the year 2248.
MAX_MS = (1 << (63 - HASH_BITS)) - 1
#: Beyond so many names (of functions, log groups, fields) new ones are not told apart.
MAX_NAMES = 100_000
#: Origins that are remembered, so that the next line of the same invocation adds none.
_MAX_ORIGINS = 200_000
_MAX_STREAM = 512  # "CloudWatch Logs API reference", LogStream: up to 512 characters; groups too
_TWO = struct.Struct("<QQ")


class Entry(NamedTuple):
    """A log line on its way into a store; a `RawLine` is as good."""

    at_ms: int  # since the epoch
    log_group: str
    stream: str
    message: str
    #: CloudWatch's name of the event, if known: the same one is stored once.
    event_id: str = ""


class Keyed(NamedTuple):
    """A line that comes from another store, with the key that it has there."""

    at_ms: int
    log_group: str
    stream: str
    message: str
    key: bytes


@dataclass
class Batch:
    """The rows of one transaction."""

    entries: list[Any]
    names: list[tuple[int, str]] = field(default_factory=list)
    origins: list[tuple[int, int, int, int, str]] = field(default_factory=list)
    #: value, field, origin
    idents: list[tuple[str, int, int]] = field(default_factory=list)
    #: id, mark, origin, place, function, level, kind
    lines: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    #: id, first line, last line, messages
    blocks: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    #: Of the lines, in their order: where it stands in `entries`, and its key.
    whence: list[tuple[int, bytes]] = field(default_factory=list)


class Known:
    """What the lines before have in common with the next ones: names and origins."""

    def __init__(self, names: dict[str, int], last_origin: int, last_block: int) -> None:
        self.names = names
        self.origins: dict[Any, tuple[int, int]] = {}
        self.next_origin = itertools.count(last_origin + 1).__next__
        self.next_block = itertools.count(last_block + 1).__next__

    def name(self, text: str, batch: Batch) -> int:
        """The number of a name; 0 for none, and for those that are too many."""
        number = self.names.get(text)
        if number is None:
            if not text or len(self.names) >= MAX_NAMES:
                return 0
            number = self.names[text] = len(self.names) + 1
            batch.names.append((number, text))
        return number


def prepare(
    entries: Iterable[Any], known: Known, taken: Callable[[int, int], bool] | None = None
) -> Batch:
    """The rows of some lines. The same line twice is one, if it has a name of its own.

    Args:
        entries: Entries, keyed lines or raw lines.
        known: Is added to.
        taken: Whether another line has this id and not this mark.
    """
    batch = Batch(list(entries))
    rows = []
    seen: dict[int, int] = {}
    origins = known.origins
    if len(origins) > _MAX_ORIGINS:
        origins.clear()
    for number, entry in enumerate(batch.entries):
        _, group, stream, message = entry[:4]
        try:
            data = message.encode()
        except UnicodeEncodeError:  # halves of surrogate pairs
            data = message.encode("utf-8", "replace")
            message = data.decode()
        place = _place(entry, data, seen, taken)
        if place is None:
            continue
        facts = facts_of(message)
        if facts.message is not message:
            data = facts.message.encode("utf-8", "replace")
        common = None if facts.others else (group, stream, facts.origin)
        try:
            origin = origins.get(common)
        except TypeError:  # a value that is a list
            origin, common = None, None
        if origin is None:
            origin = _origin(group, stream, facts, batch, known)
            if common is not None:
                origins[common] = origin
        rows.append((*place[:2], *origin, facts.level, facts.kind, number, place[2], data))
        batch.words.append((place[0], facts.words))
    rows.sort()
    batch.words.sort()
    _pack(rows, batch, known)
    return batch


def _place(
    entry: Any, data: bytes, seen: dict[int, int], taken: Callable[[int, int], bool] | None
) -> tuple[int, int, bytes] | None:
    """The id, mark and key of a line; None if it is one of those before."""
    named = entry[4] if len(entry) > 4 else ""
    base = min(max(entry[0], 0), MAX_MS) << HASH_BITS
    repeat = 0
    while True:
        key = named if type(named) is bytes else _key(entry, data, repeat)
        low, high = _TWO.unpack(key)
        id, mark = base | (low & _HASH), high >> 1  # noqa: A001
        while seen.get(id, mark) != mark or (taken is not None and taken(id, mark)):
            id = base | ((id + 1) & _HASH)  # noqa: A001
        if id not in seen:
            seen[id] = mark
            return id, mark, key
        if named:
            return None
        repeat += 1  # the same text again in the same millisecond: another line


def _key(entry: Any, data: bytes, repeat: int) -> bytes:
    """What tells a line from every other one; the same whoever delivers it, and how often."""
    at_ms, group, stream = entry[:3]
    named = entry[4] if len(entry) > 4 else ""
    told = f"{group}\0{stream}\0{at_ms}\0{named}\0{repeat}\0".encode("utf-8", "replace")
    return blake2b(told if named else told + data, digest_size=16).digest()


def key_of(line: int, mark: int) -> bytes:
    """The key of a stored line: what gives it the same id and mark in any store."""
    return _TWO.pack(line & _HASH, mark << 1)


def _origin(group: str, stream: str, facts: Any, batch: Batch, known: Known) -> tuple[int, int]:
    number = known.next_origin()
    group = group[:_MAX_STREAM].encode("utf-8", "replace").decode()
    function = known.name(origin_field(facts, "function") or group.rpartition("/")[2], batch)
    stream = stream[:_MAX_STREAM].encode("utf-8", "replace").decode()
    version = known.name(origin_field(facts, "version"), batch)
    batch.origins.append((number, function, known.name(group, batch), version, stream))
    batch.idents += [(value, known.name(name, batch), number) for name, value in ids_of(facts)]
    return number, function


def _pack(rows: list[Any], batch: Batch, known: Known) -> None:
    at = 0
    while at < len(rows):
        texts, size = [], 0
        block = known.next_block()
        first = place = block * blocks.LINES
        for row in rows[at : at + blocks.LINES]:
            id, mark, origin, function, level, kind, number, key, data = row  # noqa: A001
            batch.lines.append((id, mark, origin, place, function, level, kind))
            batch.whence.append((number, key))
            place += 1
            texts.append(data)
            size += len(data)
            if size > blocks.MAX_BYTES:
                break
        end = at + place - first
        batch.blocks.append((block, rows[at][0], rows[end - 1][0], blocks.pack(texts)))
        at = end
