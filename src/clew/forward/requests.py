"""The HTTP client requests: headers."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from clew.forward.http_headers import HttpSend, is_clews, may_have_ids
from clew.forward.patching import replace, restore

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
        with HttpSend(request.method or "", request.url or "", request.headers) as sending:
            if sending.inner:  # requests follows redirects by sending again, headers and all
                _drop_for_strangers(request)
            request.headers.update(sending.headers)  # knows its names without regard to case
            response = original(self, request, **kwargs)
            sending.status(response.status_code)
            return response

    return send


def _drop_for_strangers(request: Any) -> None:
    """Take the fields off a request that a redirect sends to a host that may not have them."""
    if not may_have_ids(urlsplit(request.url or "").hostname or ""):
        for name in [name for name in request.headers if is_clews(name)]:
            del request.headers[name]
