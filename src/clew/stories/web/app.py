"""The application: which page is where, and what an error looks like."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from clew.errors import ClewError
from clew.stories.store import StoreError
from clew.stories.web import events, functions, ingest, letters, login, search, story, streams
from clew.stories.web import map as service_map
from clew.stories.web.guard import INGEST, LOGIN, Guard
from clew.stories.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from clew.stories.web.site import Site

_log = logging.getLogger(__name__)
_SAID = {
    404: "There is no such page.",
    405: "This page does not do that.",
    403: "That form was not made by this page; open it again, and send it from there.",
}


def make_app(site: Site) -> ASGIApp:
    """The pages of a site, guarded."""
    app = Starlette(
        routes=[
            Route("/", search.search),
            Route("/story/{id:path}", story.story),
            Route("/story", story.story),
            Route("/follow/events", events.grown),
            Route("/live", events.tail),
            Route("/live/events", events.lines),
            Route("/map", service_map.service_map),
            Route("/functions", functions.functions),
            Route("/streams", streams.streams),
            Route("/dead-letters", letters.queues),
            Route("/dead-letters/{queue}", letters.queue),
            Route("/dead-letters/{queue}/redrive", letters.redrive, methods=["POST"]),
            Route("/dead-letters/{queue}/{letter}", letters.letter),
            Route(LOGIN, login.login, methods=["GET", "POST"]),
            Route(INGEST, ingest.ingest, methods=["POST"]),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        exception_handlers={ClewError: _clew_error, HTTPException: _http_error, Exception: _bug},
    )
    app.state.site = site
    app.state.streams = 0
    return Guard(app, site)


def _clew_error(request: Request, error: Any) -> Response:
    return _told(request, str(error), 500 if isinstance(error, StoreError) else 409)


def _http_error(request: Request, error: Any) -> Response:
    if request.url.path == INGEST:
        return PlainTextResponse(f"{error.detail}\n", error.status_code)
    return _told(request, _SAID.get(error.status_code, str(error.detail)), error.status_code)


def _bug(request: Request, error: Exception) -> Response:
    _log.error("a page failed", exc_info=error)
    return _told(request, f"This page failed: {type(error).__name__}; the terminal says more.", 500)


def _told(request: Request, sentence: str, status: int) -> Response:
    try:
        return page(request, "error.html", status, sentence=sentence)
    except ClewError:
        return PlainTextResponse(f"{sentence}\n", status)
