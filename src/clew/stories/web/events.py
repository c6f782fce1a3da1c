"""What comes live: new lines, and stories that have grown. Server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, StreamingResponse

from clew.errors import ClewError
from clew.stories.store.facts import LEVELS
from clew.stories.web import entry
from clew.stories.web.render import page
from clew.stories.web.search import Asked
from clew.stories.web.story import id_of, lines_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from clew.stories.store import Found
    from clew.stories.web.shelf import News
    from clew.stories.web.site import Site

#: How often it is looked for something new, and how often a silent stream says that it lives.
_LOOK_S, _ALIVE_S = 0.3, 15.0
#: Lines told at once, and on the page before anything comes.
_MOST, FIRST = 300, 60
#: Streams at once. Each holds a connection; a browser has six for a site.
_STREAMS = 40


def tail(request: Request) -> Response:
    """``/live``: lines as they come."""
    site: Site = request.app.state.site
    asked = Asked.read(request.query_params)
    news = site.shelf.since(max(site.shelf.mark() - _MOST, 0), _MOST * 4)
    lines = entry.texts(filter(_wanted(asked), news.lines))[-FIRST:]
    given = {name: value for name, value in request.query_params.items() if name != "mark"}
    return page(
        request, "live.html", asked=asked, lines=lines, levels=list(LEVELS), mark=news.mark,
        query={"q": asked.text, "function": asked.function, "level": asked.level}, given=given,
    )  # fmt: skip


def _wanted(asked: Asked) -> Callable[[Found], bool]:
    """Which lines: all the words in it, whatever their case."""
    parts = [word.lower() for word in asked.text.split()]
    least = LEVELS.get(asked.level, 0)

    def wanted(one: Found) -> bool:
        if LEVELS.get(one.level, 0) < least or asked.function not in ("", one.function):
            return False
        if not parts:
            return True
        text = one.message.lower()
        return all(part in text for part in parts)

    return wanted


async def lines(request: Request) -> Response:
    """``/live/events``: new lines that are wanted, as JSON."""
    site: Site = request.app.state.site
    wanted = _wanted(Asked.read(request.query_params))

    def told(news: News) -> Any:
        shown = [one.as_json() for one in entry.texts(filter(wanted, news.lines))]
        return {"lines": shown, "missed": news.missed} if shown or news.missed else None

    given = request.headers.get("last-event-id") or request.query_params.get("mark", "")
    return await _stream(request, site, given, told)


async def grown(request: Request) -> Response:
    """``/follow/events?id=``: says so whenever there is more of a story."""
    site: Site = request.app.state.site
    id_ = id_of(request)
    seen = request.query_params.get("seen", "")
    known = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0
    first = True

    def told(news: News) -> Any:
        nonlocal known, first
        if not (first or news.lines):
            return None
        before, first = known, False
        known = lines_of(site, id_)
        return {"lines": known} if known != before else None

    return await _stream(request, site, request.query_params.get("mark", ""), told)


async def _stream(
    request: Request, site: Site, given: str, told: Callable[[News], Any]
) -> Response:
    if request.app.state.streams >= _STREAMS:
        return PlainTextResponse("Too many pages follow this already.\n", 503)
    is_mark = given.isascii() and given.isdecimal() and len(given) < 19
    mark = int(given) if is_mark else await run_in_threadpool(site.shelf.mark)
    return StreamingResponse(
        _events(request, site, mark, told),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _events(
    request: Request, site: Site, mark: int, told: Callable[[News], Any]
) -> AsyncIterator[str]:
    state = request.app.state
    state.streams += 1
    quiet_s = 0.0
    ended = False

    def look() -> tuple[int, Any]:
        news = site.shelf.since(mark, _MOST)
        return news.mark, told(news)

    try:
        yield "retry: 1000\n\n"
        while not site.closing.is_set():
            try:
                mark, data = await run_in_threadpool(look)
            except ClewError as error:
                yield _event("problem", {"sentence": str(error)})
                return
            if site.ended and not ended:
                ended = True
                yield _event("ended", {"sentence": site.ended})
            if data is not None:
                yield f"id: {mark}\n" + _event("news", data)
                quiet_s = 0.0
            elif quiet_s >= _ALIVE_S:
                yield ": here\n\n"
                quiet_s = 0.0
            quiet_s += _LOOK_S
            await asyncio.sleep(_LOOK_S)
    finally:
        state.streams -= 1


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
