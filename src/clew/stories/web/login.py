"""The form that asks for the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from clew.stories.web.forms import read_form
from clew.stories.web.guard import is_own_form, is_token, let_in
from clew.stories.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from clew.stories.web.site import Site


async def login(request: Request) -> Response:
    """``/login``."""
    site: Site = request.app.state.site
    wanted = _own_path(request.query_params.get("next", "/"))
    if request.method != "POST":
        return page(request, "login.html", next=wanted, wrong=False)
    form = await read_form(request)
    wanted = _own_path(form.get("next", "/"))
    own = is_own_form(request, form.get("csrf"), site)
    if not own or not is_token(form.get("token", ""), site):
        return page(request, "login.html", 401, next=wanted, wrong=True)
    answer = RedirectResponse(wanted, 303)
    let_in(answer, site)
    return answer


def _own_path(given: str) -> str:
    """A path of this site; no address of another one."""
    plain = given.isascii() and given.isprintable() and "\\" not in given and len(given) < 2000
    return given if plain and given.startswith("/") and not given.startswith("//") else "/"
