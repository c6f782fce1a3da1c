"""The HTTP client requests: headers."""

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
    """Stamp what every session sends."""
    replace(sys.modules["requests.sessions"].Session, "send", _stamping)


def unhook() -> None:
    """Stamp nothing any more."""
    restore(sys.modules["requests.sessions"].Session, "send")


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        method, url = getattr(request, "method", ""), getattr(request, "url", "")
        headers = getattr(request, "headers", None)  # what is no request fails as it would
        with HttpSend("requests", method or "", url or "", headers or {}) as sending:
            response = original(self, _stamped(request, sending), **kwargs)
            sending.answered(getattr(response, "status_code", 0))
            _spare_next(response, sending)
            return response

    return send


def _stamped(request: Any, sending: HttpSend) -> Any:
    """What is sent in the place of ``request``, which may be the user's own and sent again."""
    try:
        if sending.inner:  # requests follows redirects by sending again, headers and all
            _drop_forbidden(request)
        elif sending.headers:
            copy = request.copy()
            copy.headers.update(sending.headers)  # knows its names without regard to case
            return copy
    except Exception:  # noqa: BLE001  (the request goes out as it is)
        failed("forwarding over HTTP")
    return request


def _spare_next(response: Any, sending: HttpSend) -> None:
    """The next step of a redirect that the user follows by hand is a copy of what we sent."""
    try:
        if sending.headers and response.next is not None:
            _drop_forbidden(response.next)
    except Exception:  # noqa: BLE001  (the response is the user's)
        failed("following a redirect")


def _drop_forbidden(request: Any) -> None:
    for name in forbidden(request.url or "", request.headers):
        del request.headers[name]
