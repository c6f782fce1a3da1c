"""Forms, read within bounds. Ours are small, and none has a file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from clew.stories.web.guard import is_own_form

if TYPE_CHECKING:
    from starlette.requests import Request

_MAX_FORM = 64 << 10
_MAX_FIELDS = 64


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of one name the last."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM:
            raise HTTPException(413, "That form is too large.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, "That form cannot be read.") from None


async def own_form(request: Request) -> dict[str, str]:
    """A form that this site made for this visitor.

    Raises:
        HTTPException: It is another's.
    """
    form = await read_form(request)
    if not is_own_form(request, form.get("csrf"), request.app.state.site):
        raise HTTPException(403)
    return form
