"""Templates into pages. Whatever a template prints is made visible and escaped, unasked.

What a log holds is hostile: `_finalize` spells out every character that a browser would obey or
hide, and autoescape takes the rest. No template may mark anything as safe.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from clew.stories.visible import visible
from clew.stories.web import words
from clew.stories.web.guard import form_token

if TYPE_CHECKING:
    from starlette.requests import Request

    from clew.stories.web.site import Site


def page(request: Request, template: str, status: int = 200, **given: Any) -> HTMLResponse:
    """A page of the site."""
    site: Site = request.app.state.site
    told = site.told.pop(request.query_params.get("told", ""), ())
    html = (
        environment()
        .get_template(template)
        .render(
            site=site,
            path=request.url.path,
            csrf=form_token(request, site),
            now_ms=int(time.time() * 1000),
            told=told,
            **given,
        )
    )
    return HTMLResponse(html, status)


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=PackageLoader("clew.stories.web", "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("ago", "clock", "day", "offset", "part", "rate", "share", "size"):
        made.filters[name] = getattr(words, name)
    made.filters |= {"number": words.count, "took": words.length}
    made.globals["story_url"] = words.story_url
    made.globals["url"] = words.url
    return made


def warm() -> None:
    """Have the templates compiled before somebody asks for a page."""
    for name in environment().list_templates():
        environment().get_template(name)


def _finalize(value: Any) -> Any:
    if isinstance(value, Markup):  # what a macro of the templates made
        return value
    if isinstance(value, str):
        return visible(value)
    return "" if value is None else value
