"""The HTTP client urllib3: headers."""

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
    """Stamp what every connection pool sends."""
    replace(sys.modules["urllib3.connectionpool"].HTTPConnectionPool, "urlopen", _stamping)


def unhook() -> None:
    """Stamp nothing any more."""
    restore(sys.modules["urllib3.connectionpool"].HTTPConnectionPool, "urlopen")


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def urlopen(
        self: Any,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        present = (self.headers if headers is None else headers) or {}
        full = _full(self, url)
        with HttpSend("urllib3", method, full, present) as sending:
            headers = _stamped(
                headers, present, full, sending, args[0] if args else kwargs.get("retries")
            )
            response = original(self, method, url, body, headers, *args, **kwargs)
            sending.answered(getattr(response, "status", 0))
            return response

    return urlopen


def _stamped(headers: Any, present: Any, url: str, sending: HttpSend, retries: Any) -> Any:
    """The headers that go out, in a mapping of our own where they are not the caller's."""
    try:
        gone = list(sending.replaces)
        history = getattr(retries, "history", ())
        if history and history[-1].redirect_location:
            gone += forbidden(url, present)
        if sending.headers or gone:
            copy = present.copy() if hasattr(present, "copy") else dict(present)
            for name in gone:
                del copy[name]
            for name, value in sending.headers.items():
                copy[name] = value  # one by one: a header of urllib3's own may be there twice
            return copy
    except Exception:  # noqa: BLE001  (the request goes out as it is)
        failed("forwarding over HTTP")
    return headers


def _full(pool: Any, url: str) -> str:
    """The whole URL; "" where a pool of the user's has no place in one."""
    if not isinstance(pool.host, str) or not isinstance(url, str):
        return ""
    if url[:1] != "/" and "://" in url:  # through a proxy
        return url
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    default = {"http": 80, "https": 443}.get(pool.scheme)
    return f"{pool.scheme}://{host}{'' if pool.port in (None, default) else f':{pool.port}'}{url}"
