"""The HTTP client httpx, sync and async: headers."""

from __future__ import annotations

import sys

from clew.forward.http_headers import HttpSend, is_clews
from clew.forward.patching import replace, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Marks a request that was stamped; httpx hands a request's extensions on to its redirects.
_STAMPED = "clew"


def hook() -> None:
    """Stamp every request that a client sends, each step of a redirect on its own."""
    httpx = sys.modules["httpx"]
    replace(httpx.Client, "_send_single_request", _stamping)
    replace(httpx.AsyncClient, "_send_single_request", _stamping_async)


def unhook() -> None:
    """Stamp nothing any more."""
    httpx = sys.modules["httpx"]
    restore(httpx.Client, "_send_single_request")
    restore(httpx.AsyncClient, "_send_single_request")


def _begin(request: Any) -> HttpSend:
    if request.extensions.get(_STAMPED):
        # A redirect copied the last step's fields. Its host may not be one that may have them.
        for name in [name for name in request.headers if is_clews(name)]:
            del request.headers[name]
    sending = HttpSend(request.method, str(request.url), request.headers)
    if sending.headers:
        request.headers.update(sending.headers)
        request.extensions = {**request.extensions, _STAMPED: True}
    return sending


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with _begin(request) as sending:
            response = original(self, request, *args, **kwargs)
            sending.status(response.status_code)
            return response

    return send


def _stamping_async(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with _begin(request) as sending:
            response = await original(self, request, *args, **kwargs)
            sending.status(response.status_code)
            return response

    return send
