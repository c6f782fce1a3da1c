"""The page of one request."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from starlette.responses import Response

from clew.errors import ClewError
from clew.stories.find import find_story
from clew.stories.to_json import story_json
from clew.stories.web import entry, words
from clew.stories.web.render import page
from clew.stories.web.waterfall import waterfall

if TYPE_CHECKING:
    from starlette.requests import Request

    from clew.stories import Story
    from clew.stories.web.site import Site

ROWS = 400
_MAX_BREAKS, _MAX_ERRORS = 30, 30
_MAX_ID = 256
_YOUNG_MS = 60_000


def id_of(request: Request) -> str:
    """The id that is asked for."""
    given = request.path_params.get("id") or request.query_params.get("id", "")
    return str(given)[:_MAX_ID]


def lines_of(site: Site, id_: str) -> int:
    """How many lines there are of a request: when it is more, there is more to show."""
    return sum(1 for _ in site.shelf.lines(id_)) if id_ else 0


def story(request: Request) -> Response:
    """``/story/ID``: the waterfall."""
    site: Site = request.app.state.site
    id_ = id_of(request)
    seen = lines_of(site, id_)  # before it is told, so that nothing is missed between
    try:
        found = find_story(site.shelf, id_, wait_s=0)
    except ClewError as error:
        return page(request, "no_story.html", 404, id=id_, seen=seen, sentence=str(error))
    if request.query_params.get("as") == "json":
        # In ASCII: halves of surrogate pairs are no UTF-8.
        return Response(json.dumps(story_json(found)), media_type="application/json")
    given = request.query_params.get("from", "")
    first = int(given) if given.isascii() and given.isdecimal() and len(given) < 7 else 0
    drawn = waterfall(found, first, ROWS)
    breaks = _breaks(found)
    return page(
        request,
        "story.html",
        story=found,
        drawn=drawn,
        first=first,
        next=words.url("/story", {"id": found.id, "from": first + ROWS}) if drawn.hidden else "",
        breaks=breaks[:_MAX_BREAKS],
        more_breaks=max(len(breaks) - _MAX_BREAKS, 0),
        gaps=[(gap.sentence, gap.hops) for gap in getattr(found, "gaps", ())[:_MAX_BREAKS]],
        errors=_errors(found),
        seen=seen,
        waiting=_is_awaited(found),
        agent=entry.cut(found.user_agent, 200),
        id=found.id,
    )


def _is_awaited(found: Story) -> bool:
    """Whether something is missing that may still come."""
    since_ms = found.awaited_since_ms()
    return since_ms is not None and time.time() * 1000 - since_ms < _YOUNG_MS


def _breaks(found: Story) -> list[tuple[str, str, str]]:
    """What broke, where on the page, and what no log says of it."""
    told = []
    for hop in found.hops:
        if hop.broken is not None:
            told.append((hop.broken, f"hop-{hop.number}"))
        told += [
            (send.broken, f"hop-{hop.number}") for send in hop.sends if send.broken is not None
        ]
    told += [(send.broken, "") for send in found.sends if send.broken is not None]
    told.sort(key=lambda one: one[0].at_ms)
    return [(one.sentence, where, getattr(one, "unknown", "")) for one, where in told]


def _errors(found: Story) -> list[tuple[int, entry.Shown]]:
    """The ERROR lines of all hops, each with its hop."""
    lines = [
        (hop.number, line)
        for hop in found.hops
        for line in hop.lines
        if line.level in ("ERROR", "CRITICAL")
    ]
    lines.sort(key=lambda one: one[1].at_ms)
    return [(number, entry.of_line(line)) for number, line in lines[:_MAX_ERRORS]]
