"""The first page: the newest lines, or those that somebody looks for; errors first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from clew.stories.store import Query
from clew.stories.store.facts import LEVELS
from clew.stories.web import entry, words
from clew.stories.web.render import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from clew.stories.store import Page
    from clew.stories.web.site import Site

#: How far back a search goes where nobody says, and what else can be chosen.
AGES = ("15m", "1h", "6h", "1d", "7d", "")
LINES, ERRORS = 100, 12
_COUNTED_S = 2.0
#: Characters of a page that is kept: lines may be a megabyte long.
_MAX_KEPT = 1 << 19
_MAX_TEXT = 500
_MAX_FACETS = 30
_LAST = 2**63 - 1  # the last place that SQLite knows
#: A word of the text that means an id of one field: ``user-id=42``.
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,63})=([^\s=]{1,256})").fullmatch
#: What is an id and nothing else: the search for it leads to its story.
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of a search says."""

    text: str = ""
    function: str = ""
    level: str = ""
    age: str = ""
    until: str = ""
    before: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Asked:
        """From a page's parameters; what makes no sense is as good as not said."""
        level = given.get("level", "").upper()
        age, until, before = (given.get(name, "") for name in ("since", "until", "before"))
        now = datetime.now(UTC)
        return cls(
            given.get("q", "").strip()[:_MAX_TEXT],
            given.get("function", "")[:256],
            level if level in LEVELS else "",
            age if words.since(age, now) else "",
            until if words.since(until, now) else "",
            before if before.isascii() and before.isdecimal() and len(before) < 20 else "",
        )

    def query(self, now: datetime) -> Query:
        """As the store takes it: ``name=value`` is an id, one alone is any, the rest are words."""
        ids: dict[str, str] = {}
        plain = []
        for word in self.text.split():
            if found := _FIELD(word):
                ids[found[1]] = found[2]
            else:
                plain.append(word)
        alone = plain[0] if len(plain) == 1 and _ID(plain[0]) else ""
        return Query(
            text="" if alone else " ".join(plain),
            id=alone,
            ids=ids,
            function=self.function,
            level=self.level,
            since=words.since(self.age, now),
            until=words.since(self.until, now),
            limit=LINES,
            before=min(int(self.before), _LAST) if self.before else None,
        )

    def url(self, **changed: str) -> str:
        """The page of the same search, but for this; from its first lines on."""
        other = replace(self, **{"before": "", **changed})
        given = {
            "q": other.text,
            "function": other.function,
            "level": other.level,
            "since": other.age,
            "until": other.until,
            "before": other.before,
        }
        return words.url("/", given)


def search(request: Request) -> Response:
    """``/``: the lines."""
    site: Site = request.app.state.site
    asked = Asked.read(request.query_params)
    if _ID(asked.text) and request.query_params.get("go") == "1":
        return RedirectResponse(words.story_url(asked.text), 303)
    now = datetime.now(UTC)
    query = asked.query(now)
    found = _found(site, asked, query)
    errors: list[entry.Shown] = []
    bad = sum(found.levels.get(name, 0) for name in ("ERROR", "CRITICAL"))
    if bad and asked.level not in ("ERROR", "CRITICAL") and not asked.before:
        first = site.shelf.search(replace(query, level="ERROR", limit=ERRORS))
        errors = entry.texts(first.lines)[::-1]
    lines = entry.texts(found.lines)[::-1]
    seen = {one.place for one in errors}
    functions = sorted(found.functions.items(), key=lambda one: (-one[1], one[0]))
    return page(
        request,
        "search.html",
        asked=asked,
        ages=AGES,
        levels=[(name, found.levels.get(name, 0)) for name in reversed(LEVELS)],
        functions=functions[:_MAX_FACETS],
        more_functions=max(len(functions) - _MAX_FACETS, 0),
        errors=errors,
        bad=bad,
        lines=[one for one in lines if one.place not in seen],
        total=found.total,
        more=found.more,
    )


def warm(site: Site) -> None:
    """Have what the first page needs at hand before somebody asks for it."""
    asked = Asked()
    _found(site, asked, asked.query(datetime.now(UTC)))


def _found(site: Site, asked: Asked, query: Query) -> Page:
    """The counts of a large store take long, and a person goes back and forth."""
    return site.cache.get(
        ("search", asked, site.shelf.mark()),
        lambda: site.shelf.search(query),
        _COUNTED_S,
        lambda made: sum(len(line.message) for line in made.lines) < _MAX_KEPT,
    )
