"""A search of log lines: by ids, words, function, level and time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.errors import ClewError
from clew.stories.store import reading
from clew.stories.store.facts import LEVELS, MAX_ID, REQUEST, TRACE
from clew.stories.store.reading import COLUMNS, LEVEL_NAMES, Found

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for; a line has to have all of it.

    Args:
        text: Words that a line holds, in any order. A ``*`` after a word is for any ending;
            nothing else in it is syntax.
        id: Any of its ids begins so.
        ids: Ids by their fields: ``user-id`` or ``x-correlation-user-id``, ``requestId``,
            ``traceId``.
        function: Its function.
        level: Its level, or a worse one.
        since: An aware time; not older.
        until: An aware time; not newer.
        limit: Lines of a page, up to 1,000.
        before: Where the page before ended: its ``more``.
    """

    text: str = ""
    id: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    function: str = ""
    level: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the lines that a query found, newest first, and counts of them all."""

    lines: tuple[Found, ...]
    total: int
    functions: Mapping[str, int]
    levels: Mapping[str, int]
    #: `Query.before` of the next page; None on the last one.
    more: int | None


def search(connection: sqlite3.Connection, query: Query) -> Page:
    """A page of what a query finds."""
    where, values = _conditions(query)
    counted = f"SELECT l.function, l.level, count(*) FROM line l WHERE {where} GROUP BY 1, 2"  # noqa: S608
    functions: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    names = dict(connection.execute("SELECT id, text FROM name"))
    for function, level, count in reading.matching(connection, counted, values):
        functions[names.get(function, "")] += count
        levels[LEVEL_NAMES.get(level, "")] += count
    limit = min(max(query.limit, 1), MAX_PAGE)
    below = "" if query.before is None else " AND l.id < ?"
    asked = f"{COLUMNS} WHERE {where}{below} ORDER BY l.id DESC LIMIT ?"
    more = () if query.before is None else (query.before,)
    rows = reading.matching(connection, asked, (*values, *more, limit + 1))
    lines = tuple(reading.found(connection, rows[:limit]))
    return Page(
        lines,
        functions.total(),
        dict(functions.most_common()),
        dict(levels.most_common()),
        lines[-1].place if len(rows) > limit else None,
    )


def _conditions(query: Query) -> tuple[str, tuple[Any, ...]]:
    time = reading.span(query.since, query.until)
    where, values = ["l.id BETWEEN ? AND ?"], [*time]
    everything: list[Any] = values
    if query.id:
        where.append(f"l.origin IN ({reading.OF_IDS})")
        everything.append(f"{reading.match_id(query.id)}*")
    for name, value in query.ids.items():
        # The index knows no fields, nor upper and lower case; the origin does.
        where.append(
            f"l.origin IN (SELECT o.id FROM origin o, name n WHERE o.id IN ({reading.OF_IDS}) "  # noqa: S608
            "AND n.text = ? AND instr(x'1f' || o.ids || x'1f', x'1f' || n.id || '=' || ? || x'1f'))"
        )
        value = reading.storable(value)[:MAX_ID]  # noqa: PLW2901
        everything += reading.match_id(value), reading.storable(_field(name)), value
    if query.function:
        where.append("l.function IN (SELECT id FROM name WHERE text = ?)")
        everything.append(reading.storable(query.function))
    if query.level:
        # As a number in the statement, SQLite sees that the index of the bad ones is enough.
        where.append(f"l.level >= {_level(query.level)}")
    if query.text:
        words = reading.match(query.text)
        if not words:
            where.append("0")  # nothing in it is a word, so no line has it
        else:
            where.append(
                "l.id IN (SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?)"
            )
            everything += words, *time
    return " AND ".join(where), tuple(everything)


def _field(name: str) -> str:
    if name in (REQUEST, TRACE) or name.lower().startswith(wire.PREFIX):
        return name
    return wire.ID if name.lower() == "id" else f"{wire.PREFIX}{name}".lower().replace("_", "-")


def _level(name: str) -> int:
    number = LEVELS.get(name.upper())
    if number is None:
        message = f"There is no level {name!r}; there are {', '.join(LEVELS)}."
        raise ClewError(message)
    return number
