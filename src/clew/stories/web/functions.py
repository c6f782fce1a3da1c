"""The page of functions: how often, how long, how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.stories.web.lately import AGES, lately
from clew.stories.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def functions(request: Request) -> Response:
    """``/functions``."""
    found = lately(request)
    slowest = max((one.p99 or 0 for one in found.traffic.functions), default=0) or 1
    return page(
        request,
        "functions.html",
        found=found,
        ages=AGES,
        slowest=slowest,
        functions=found.traffic.functions,
        reports=any(one.headroom is not None for one in found.traffic.functions),
    )
