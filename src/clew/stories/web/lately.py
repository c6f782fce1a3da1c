"""The traffic of the last while, read and summed up once for all pages that show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.stories.lines import Invocation, RawLine, TextLine
from clew.stories.parse import parse, read
from clew.stories.web import words
from clew.stories.web.traffic import Traffic, traffic

if TYPE_CHECKING:
    from starlette.requests import Request

    from clew.stories.web.site import Site

AGES = ("15m", "1h", "6h", "1d", "7d", "")
#: So many of the newest invocations are read; more would keep a page waiting.
MOST = 4_000
_REPORTS = 4_000
_KEPT_S = 3.0


@dataclass(frozen=True, slots=True)
class Lately:
    """What a page of sums is made from."""

    age: str
    traffic: Traffic
    read: int
    seconds: float  # of the time that the sums are of
    cut: bool  # whether there were more than could be read


def lately(request: Request) -> Lately:
    """The traffic of the time that a page's ``since`` says."""
    site: Site = request.app.state.site
    given = request.query_params.get("since", "1h").replace("all", "")
    age = given if given in AGES else "1h"
    return site.cache.get(("lately", age), lambda: _read(site, age), _KEPT_S)


def _read(site: Site, age: str) -> Lately:
    now = datetime.now(UTC)
    since = words.since(age, now)
    found = site.shelf.newest("invocation", since, None, MOST)
    raw = [RawLine(*one[:4]) for one in found]
    invocations: tuple[Invocation, ...] = read(raw).invocations
    cut = len(found) == MOST
    first = datetime.fromtimestamp(min(found[-1].at_ms / 1000, 4e9), UTC) if found else now
    told = site.shelf.newest("lambda", max(first, since) if since else first, None, _REPORTS)
    reports = [parse(RawLine(*one[:4])) for one in told if one.message.startswith("REPORT")]
    made = traffic(invocations, [one for one in reports if isinstance(one, TextLine)])
    start = first if cut or since is None else since
    return Lately(age, made, len(found), max((now - start).total_seconds(), 1.0), cut)
