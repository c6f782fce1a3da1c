"""Log lines as the rows of one transaction. No database here."""

from __future__ import annotations

import itertools
import re
import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from clew import wire
from clew.stories.store import blocks
from clew.stories.store.facts import MAX_ID, MAX_IDS, facts_of
from clew.stories.store.quick import common_of, quick
from clew.stories.store.schema import HASH_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HASH = (1 << HASH_BITS) - 1
#: The last time that leaves room for the hash in 63 bits: in the year 2248.
MAX_MS = (1 << (63 - HASH_BITS)) - 1
#: Beyond so many names (of functions, log groups, fields) new ones are not told apart.
MAX_NAMES = 100_000
#: Origins that are remembered, so that the next line of the same invocation adds none.
_MAX_ORIGINS = 20_000
_MAX_FIELDS = 4_096
_MAX_STREAM = 512  # "CloudWatch Logs API reference", LogStream: up to 512 characters; groups too
#: Between the ids of an origin.
SEPARATOR = "\x1f"
_PLAIN = re.compile(r"[A-Za-z0-9_.:/=@+#$%&,~-]*").fullmatch
_PLAIN_ONES = re.compile(r"[A-Za-z0-9_.:/=@+#$%&,~ -]*").fullmatch
_ODD = re.compile(r"[^A-Za-z0-9_.:/=@+#$%&,~\x80-\U0010ffff-]").sub
_TWO = struct.Struct("<QQ")
_two = _TWO.unpack


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

    #: Lines that were to be stored.
    entries: int = 0
    names: list[tuple[int, str]] = field(default_factory=list)
    #: id, function, log group, version, stream, ids
    origins: list[tuple[int, int, int, int, str, str]] = field(default_factory=list)
    #: origin, its ids as words
    ids: list[tuple[int, str]] = field(default_factory=list)
    #: id, mark, origin, place, function, level, kind
    lines: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    #: id, first line, last line, messages: packed by whoever writes them
    blocks: list[tuple[int, int, int, list[bytes]]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)


class _Fields(NamedTuple):
    """What to do with the values of an origin's fields."""

    function: int  # where it is, or -1
    version: int
    #: Of each id, where it is and the number of its field's name.
    ids: list[tuple[int, int]]
    #: The ids of the values, and what they are put into.
    ids_of: Callable[[Any], tuple[Any, ...]]
    told: str


class Known:
    """What the lines before have in common with the next ones: names and origins."""

    def __init__(self, names: dict[str, int], last_origin: int, last_block: int) -> None:
        self.names = names
        #: By log group, stream and what is common to lines: the origin's number, its function's.
        self.origins: dict[Any, tuple[int, int]] = {}
        self._fields: dict[tuple[str, ...], _Fields] = {}
        #: By log group, stream, function and version: what stands for them in an origin's row.
        self._places: dict[tuple[str, str, str, str], tuple[int, int, int, str]] = {}
        self.next_origin = itertools.count(last_origin + 1).__next__
        self._next_name = itertools.count(max(names.values(), default=0) + 1).__next__
        self.next_block = itertools.count(last_block + 1).__next__

    def name(self, text: str, batch: Batch) -> int:
        """The number of a name; 0 for none, and for those that are too many."""
        number = self.names.get(text)
        if number is None:
            if not text or len(self.names) >= MAX_NAMES:
                return 0
            number = self.names[text] = self._next_name()
            batch.names.append((number, text))
        return number

    def origin_of_text(
        self, group: str, stream: str, text: str, others: tuple[str, ...], batch: Batch
    ) -> tuple[int, int] | None:
        """The origin of a line that has this text in common with others; None if it is none."""
        found = None if others else self.origins.get((group, stream, text))
        if found is None:
            common = common_of(text)
            if common is not None:
                found = self.origin(group, stream, common, others, batch)
                if not others:
                    self.origins[group, stream, text] = found
        return found

    def origin_of(
        self,
        group: str,
        stream: str,
        common: tuple[Any, tuple[Any, ...]],
        others: tuple[str, ...],
        batch: Batch,
    ) -> tuple[int, int]:
        """The origin of a line that has these values in common with others."""
        try:
            found = None if others else self.origins.get((group, stream, common))
        except TypeError:  # a value that is a list
            found, common = None, (common[0], tuple(map(str, common[1])))
        if found is None:
            found = self.origin(group, stream, common, others, batch)
            if not others:
                self.origins[group, stream, common] = found
        return found

    def origin(
        self,
        group: str,
        stream: str,
        common: tuple[Any, tuple[Any, ...]],
        others: tuple[str, ...],
        batch: Batch,
    ) -> tuple[int, int]:
        """A new origin: its number, and that of its function."""
        names, values = common
        fields = self._fields.get(names) or self._of_names(names, batch)
        number = self.next_origin()
        place = group, stream, _text(values, fields.function), _text(values, fields.version)
        named = self._places.get(place) or self._place(place, batch)
        plain = None if others else _plain(fields, values)
        told, words = plain or self._told(fields, values, others, batch)
        batch.origins.append((number, *named, told))
        batch.ids.append((number, words))
        return number, named[0]

    def _place(self, place: tuple[str, str, str, str], batch: Batch) -> tuple[int, int, int, str]:
        group, stream, function, version = place
        if not (group.isascii() and stream.isascii()):
            group, stream = _storable(group), _storable(stream)
        group = group[:_MAX_STREAM]
        if len(self._places) >= _MAX_FIELDS:
            self._places.clear()
        named = self._places[place] = (
            self.name(function or group.rpartition("/")[2], batch),
            self.name(group, batch),
            self.name(version, batch),
            stream[:_MAX_STREAM],
        )
        return named

    def _told(
        self, fields: _Fields, values: tuple[Any, ...], others: tuple[str, ...], batch: Batch
    ) -> tuple[str, str]:
        """The ids of an origin as they are kept, and as words."""
        ids = [
            (of_field, value[:MAX_ID])
            for at, of_field in fields.ids
            if type(value := values[at]) is str and value
        ]
        if others:
            of_field = self.name(wire.ID, batch)
            ids += [(of_field, value[:MAX_ID]) for value in others[:MAX_IDS] if value]
        told = SEPARATOR.join([f"{of_field}={value}" for of_field, value in ids])
        words = " ".join([value for _, value in ids])
        if not _PLAIN_ONES(words) or words.count(" ") >= max(len(ids), 1):
            words = id_words(told)
        return told, words

    def _of_names(self, names: tuple[str, ...], batch: Batch) -> _Fields:
        if len(self._fields) >= _MAX_FIELDS:
            self._fields.clear()
        places = [at for at, name in enumerate(names) if name not in ("function", "version")]
        ids = [(at, self.name(_storable(names[at])[:MAX_ID], batch)) for at in places]
        fields = self._fields[names] = _Fields(
            names.index("function") if "function" in names else -1,
            names.index("version") if "version" in names else -1,
            ids,
            itemgetter(*places) if len(places) > 1 else _none,
            SEPARATOR.join([f"{of_field}=%s" for _, of_field in ids]),
        )
        return fields


def _none(_values: Any) -> tuple[Any, ...]:
    return ()


def _plain(fields: _Fields, values: tuple[Any, ...]) -> tuple[str, str] | None:
    """The same as `Known._told`, for less, where all ids are plain words."""
    ids = fields.ids_of(values)
    try:
        words = " ".join(ids)
    except TypeError:  # a value that is no text
        return None
    if not ids or "" in ids or words.count(" ") != len(ids) - 1 or not _PLAIN_ONES(words):
        return None
    if len(words) > MAX_ID and max(map(len, ids)) > MAX_ID:
        return None
    return fields.told % ids, words


def id_words(ids: str) -> str:
    """The ids of an origin as words."""
    return " ".join([id_word(one.partition("=")[2]) for one in ids.split(SEPARATOR)])


def id_word(value: str) -> str:
    """An id as one word; those that differ only in odd characters, or in case, are the same."""
    return value if _PLAIN(value) else _ODD("_", value)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _text(values: tuple[Any, ...], at: int) -> str:
    value = values[at] if at >= 0 else ""
    return value[:MAX_ID] if isinstance(value, str) else ""


def prepare(entries: Iterable[Any], known: Known) -> Batch:
    """The rows of some lines. The same line twice is one, if it has a name of its own.

    Args:
        entries: Entries, keyed lines or raw lines.
        known: Is added to.
    """
    batch = Batch()
    rows = []
    seen: dict[int, int] = {}
    if len(known.origins) > _MAX_ORIGINS:
        known.origins.clear()
    for entry in entries:
        batch.entries += 1
        group, stream, message = entry[1:4]
        try:
            data = message.encode()
        except UnicodeEncodeError:  # halves of surrogate pairs
            data = message.encode("utf-8", "replace")
            message = data.decode()
        named = entry[4] if len(entry) > 4 else ""
        at_ms = entry[0]
        if named or not 0 <= at_ms <= MAX_MS:
            place = _place(entry, data, seen)
        else:
            low, high = _two(_key(f"{group}\0{stream}\0{at_ms}\0\x000\0", data))
            place = (at_ms << HASH_BITS) | (low & HASH), high >> 1
            if place[0] in seen:
                place = _place(entry, data, seen)
            else:
                seen[place[0]] = place[1]
        if place is None:
            continue
        origin, facts = None, quick(message)
        if facts is not None:
            text, kind, level, others, words = facts
            origin = known.origin_of_text(group, stream, text, others, batch)
        if origin is None:
            kept, kind, level, common, others, words = facts_of(message)
            if kept is not message:
                data = kept.encode("utf-8", "replace")
            origin = known.origin_of(group, stream, common, others, batch)
        rows.append((*place, *origin, level, kind, data, words))
    rows.sort()
    batch.words = [(row[0], row[7]) for row in rows]
    _pack(rows, batch, known)
    return batch


def _place(entry: Any, data: bytes, seen: dict[int, int]) -> tuple[int, int] | None:
    """The id and mark of a line; None if it is one of those before."""
    at_ms, group, stream = entry[:3]
    named = entry[4] if len(entry) > 4 else ""
    told = f"{group}\0{stream}\0{at_ms}\0{named}\0"
    base = min(max(at_ms, 0), MAX_MS) << HASH_BITS
    repeat = 0
    while True:
        key = named if type(named) is bytes else _key(f"{told}{repeat}\0", b"" if named else data)
        low, high = _two(key)
        id, mark = base | (low & HASH), high >> 1  # noqa: A001
        while seen.get(id, mark) != mark:
            id = base | ((id + 1) & HASH)  # noqa: A001
        if id not in seen:
            seen[id] = mark
            return id, mark
        if named:
            return None
        repeat += 1  # the same text again in the same millisecond: another line


def _key(told: str, data: bytes) -> bytes:
    """What tells a line from every other one; the same whoever delivers it, and how often."""
    return blake2b(told.encode("utf-8", "replace") + data, digest_size=16).digest()


def key_of(line: int, mark: int) -> bytes:
    """The key of a stored line: what gives it the same id and mark in any store."""
    return _TWO.pack(line & HASH, mark << 1)


def _pack(rows: list[Any], batch: Batch, known: Known) -> None:
    at = 0
    while at < len(rows):
        some = rows[at : at + blocks.LINES]
        texts = [row[6] for row in some]
        if sum(map(len, texts)) > blocks.MAX_BYTES:
            texts = _that_fit(texts)
            some = some[: len(texts)]
        block = known.next_block()
        first = block * blocks.LINES
        batch.lines += [
            (id, mark, origin, place, function, level, kind)
            for place, (id, mark, origin, function, level, kind, _, _) in enumerate(some, first)  # noqa: A001
        ]
        batch.blocks.append((block, some[0][0], some[-1][0], texts))
        at += len(some)


def _that_fit(texts: list[bytes]) -> list[bytes]:
    size = 0
    for count, text in enumerate(texts, 1):
        size += len(text)
        if size > blocks.MAX_BYTES:
            return texts[:count]
    return texts
