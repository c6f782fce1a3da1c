"""The HTTP client httpx, sync and async: headers."""

from __future__ import annotations

import sys

from clew.forward.http_headers import HttpSend, forbidden
from clew.forward.patching import replace, restore
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def hook() -> None:
    """Stamp every request that a client sends, each step of a redirect on its own."""
    httpx = sys.modules["httpx"]
    replace(httpx.Client, "_send_single_request", _stamping)
    replace(httpx.AsyncClient, "_send_single_request", _stamping_async)
    replace(httpx.Client, "_build_redirect_request", _redirecting)  # and the other's


def unhook() -> None:
    """Stamp nothing any more."""
    httpx = sys.modules["httpx"]
    restore(httpx.Client, "_send_single_request")
    restore(httpx.AsyncClient, "_send_single_request")
    restore(httpx.Client, "_build_redirect_request")


def _stamped(request: Any, sending: HttpSend) -> Any:
    """What is sent in the place of ``request``, which may be the user's own and sent again."""
    if not sending.headers:
        return request
    try:
        copy = object.__new__(type(request))  # httpx's own copy is one for pickles, without a body
        copy.__dict__.update(request.__dict__)
        copy.headers = request.headers.copy()
        copy.headers.update(sending.headers)
    except Exception:  # noqa: BLE001  (the request goes out as it is)
        failed("forwarding over HTTP")
        return request
    return copy


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with HttpSend("httpx", request.method, str(request.url), request.headers) as sending:
            response = original(self, _stamped(request, sending), *args, **kwargs)
            sending.answered(getattr(response, "status_code", 0))
            return response

    return send


def _stamping_async(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with HttpSend("httpx", request.method, str(request.url), request.headers) as sending:
            response = await original(self, _stamped(request, sending), *args, **kwargs)
            sending.answered(getattr(response, "status_code", 0))
            return response

    return send


def _redirecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """A redirect copies the headers of the user's request, in which may be fields too."""

    def build(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = original(self, *args, **kwargs)
        try:
            for name in forbidden(str(request.url), request.headers):
                del request.headers[name]
        except Exception:  # noqa: BLE001  (the request goes out as it is)
            failed("following a redirect")
        return request

    return build
