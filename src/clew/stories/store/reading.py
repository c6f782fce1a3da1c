"""Lines out of the tables."""

from __future__ import annotations

import re
import sqlite3
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.store import blocks
from clew.stories.store.batch import MAX_MS, Keyed, id_word, key_of
from clew.stories.store.facts import KINDS, LEVELS, MAX_ID
from clew.stories.store.schema import HASH_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

LEVEL_NAMES = {number: name for name, number in LEVELS.items()}
#: Blocks that are kept unpacked while lines are read: the lines of a story stand near each other.
_BLOCKS = 64
_RECENT = 500
#: Lines that hold a text and no id of that name; more are of no use to a story.
_MOST_BY_WORDS = 10_000
#: What is a word to the index: letters and digits, with the marks that stand on them.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")
_MAX_WORDS = 32
_MAX_WORD = 256
#: The id of a record that came without one is that of its invocation and a number.
_NUMBERED = re.compile(r"(.+)-\d{1,7}", re.DOTALL).fullmatch

COLUMNS = """SELECT l.id, l.mark, l.place, l.level, l.kind, g.text, o.stream, f.text, v.text
FROM line l LEFT JOIN origin o ON o.id = l.origin LEFT JOIN name g ON g.id = o.log_group
LEFT JOIN name f ON f.id = l.function LEFT JOIN name v ON v.id = o.version
"""
#: The origins that have an id.
OF_IDS = "SELECT rowid FROM ids WHERE ids MATCH ?"


class Found(NamedTuple):
    """One line that was found."""

    at_ms: int
    log_group: str
    stream: str
    message: str
    function: str
    version: str
    level: str  # "" if it says none
    kind: str  # text, line, invocation, or lambda: what Lambda itself wrote
    #: Where it stands in the store; `Query.before` takes it.
    place: int
    #: The same in every store that has the line.
    key: bytes


class Messages:
    """The messages of lines by their places."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: OrderedDict[int, list[str]] = OrderedDict()

    def at(self, place: int) -> str:
        """One message.

        Raises:
            DamagedError: It is not there.
        """
        number, of_block = divmod(place, blocks.LINES)
        texts = self._known.get(number)
        if texts is None:
            asked = "SELECT lines FROM block WHERE id = ?"
            row = self._connection.execute(asked, (number,)).fetchone()
            if row is None:
                raise blocks.DamagedError
            texts = self._known[number] = blocks.unpack(row[0])
            if len(self._known) > _BLOCKS:
                self._known.popitem(last=False)
        if of_block >= len(texts):
            raise blocks.DamagedError
        return texts[of_block]


def span(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """A range of times as a range of ids."""
    first = 0 if since is None else _ms(since)
    last = MAX_MS if until is None else _ms(until)
    return first << HASH_BITS, (last << HASH_BITS) | ((1 << HASH_BITS) - 1)


def _ms(at: datetime) -> int:
    return min(max(round(at.timestamp() * 1000), 0), MAX_MS)


def found(connection: sqlite3.Connection, rows: Iterable[Any]) -> Iterator[Found]:
    """Rows of `COLUMNS` with their messages."""
    messages = Messages(connection)
    for line, mark, place, level, kind, group, stream, function, version in rows:
        yield Found(
            line >> HASH_BITS,
            group or "",
            stream or "",
            messages.at(place),
            function or "",
            version or "",
            LEVEL_NAMES.get(level, ""),
            KINDS[kind] if 0 <= kind < len(KINDS) else "",
            line,
            key_of(line, mark),
        )


def entries(
    connection: sqlite3.Connection, since: datetime | None, until: datetime | None
) -> Iterator[Keyed]:
    """Every line of a time, oldest first."""
    rows = connection.execute(
        f"{COLUMNS} WHERE l.id BETWEEN ? AND ? ORDER BY l.id", span(since, until)
    )
    for one in found(connection, rows):
        yield Keyed(one.at_ms, one.log_group, one.stream, one.message, one.key)


def lines(
    connection: sqlite3.Connection, text: str, since: datetime | None, until: datetime | None
) -> list[RawLine]:
    """The lines that have an id, or failing that one that begins so; and those with the text."""
    time = span(since, until)
    by_id = _by_ids(connection, [text, *(one[1] for one in [_NUMBERED(text)] if one)], time)
    if not by_id:
        by_id = _beginning(connection, text, time)
    by_words = [one for one in _by_words(connection, text, time) if text in one.message]
    known = {one.place: one for one in (*by_id, *by_words)}
    return [RawLine(*known[place][:4]) for place in sorted(known)]


def _by_ids(connection: sqlite3.Connection, ids: list[str], time: tuple[int, int]) -> list[Found]:
    asked = f"{COLUMNS} WHERE l.origin IN ({OF_IDS}) AND l.id BETWEEN ? AND ?"
    wanted = " OR ".join(filter(None, map(match_id, ids)))
    return matching_lines(connection, asked, (wanted, *time)) if wanted else []


def _beginning(connection: sqlite3.Connection, text: str, time: tuple[int, int]) -> list[Found]:
    asked = f"{COLUMNS} WHERE l.origin IN ({OF_IDS}) AND l.id BETWEEN ? AND ? LIMIT ?"
    wanted = match_id(text)
    if not wanted:
        return []
    return matching_lines(connection, asked, (f"{wanted}*", *time, _MOST_BY_WORDS))


def _by_words(connection: sqlite3.Connection, text: str, time: tuple[int, int]) -> list[Found]:
    words = match(text)
    if not words:
        return []
    asked = (
        f"{COLUMNS} WHERE l.id IN (SELECT rowid FROM words WHERE words MATCH ? "  # noqa: S608
        "AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?)"
    )
    return matching_lines(connection, asked, (words, *time, _MOST_BY_WORDS))


def matching_lines(
    connection: sqlite3.Connection, asked: str, values: tuple[Any, ...]
) -> list[Found]:
    """The lines of a query for `COLUMNS`."""
    return list(found(connection, matching(connection, asked, values)))


def matching(connection: sqlite3.Connection, asked: str, values: tuple[Any, ...]) -> list[Any]:
    """The rows; none where the index takes for two words what was meant as one."""
    try:
        return connection.execute(asked, values).fetchall()
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        return []


def match(text: str) -> str:
    """What somebody typed, as a search for all of its words; "" if there is none in it.

    Nothing in it is syntax, but for a ``*`` at the end of a word: that is one that begins so.
    """
    words = []
    for one in _WORD.finditer(storable(text)):
        begins = "*" if text[one.end() : one.end() + 1] == "*" else ""
        words.append(f'"{one[0][:_MAX_WORD]}"{begins}')
    return " AND ".join(words[:_MAX_WORDS])


def match_id(text: str) -> str:
    """A search for an id; "" if there is none. With a ``*`` after it, for those that begin so."""
    word = id_word(storable(text)[:MAX_ID])
    return f'"{word}"' if word else ""


def storable(text: str) -> str:
    """A text without halves of surrogate pairs, which SQLite does not take."""
    return text.encode("utf-8", "replace").decode()


def recent_ids(connection: sqlite3.Connection, since: datetime | None) -> dict[str, int]:
    """The ids in the newest lines."""
    asked = f"{COLUMNS} WHERE l.id BETWEEN ? AND ? ORDER BY l.id DESC LIMIT ?"
    rows = connection.execute(asked, (*span(since, None), _RECENT))
    return read([RawLine(*one[:4]) for one in found(connection, rows)]).latest_ids()
