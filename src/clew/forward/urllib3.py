"""The HTTP client urllib3: headers."""

from __future__ import annotations

import sys

from clew.forward.http_headers import HttpSend
from clew.forward.patching import replace, restore

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
        self: Any, method: str, url: str, body: Any = None, headers: Any = None, **kwargs: Any
    ) -> Any:
        present = self.headers if headers is None else headers
        full = url if "://" in url else f"{self.scheme}://{_host(self)}{url}"
        with HttpSend(method, full, present or {}) as sending:
            if sending.headers:
                headers = {  # the caller's own mapping is not changed
                    name: value
                    for name, value in (present or {}).items()
                    if name not in sending.replaces
                } | sending.headers
            response = original(self, method, url, body, headers, **kwargs)
            sending.status(response.status)
            return response

    return urlopen


def _host(pool: Any) -> str:
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    default = {"http": 80, "https": 443}.get(pool.scheme)
    return host if pool.port in (None, default) else f"{host}:{pool.port}"
