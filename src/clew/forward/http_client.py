"""``http.client`` of the standard library, and so ``urllib.request``: headers.

Put on when the last header was, so that all the others are known.
"""

from __future__ import annotations

import sys

from clew.forward.http_headers import HttpSend
from clew.forward.patching import replace, restore
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: What a connection sent last, until it is answered.
_SENDING = "_clew_sending"


def hook() -> None:
    """Stamp what every connection sends."""
    connection = sys.modules["http.client"].HTTPConnection
    replace(connection, "endheaders", _stamping)
    replace(connection, "getresponse", _answering)


def unhook() -> None:
    """Stamp nothing any more."""
    connection = sys.modules["http.client"].HTTPConnection
    restore(connection, "endheaders")
    restore(connection, "getresponse")


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    def endheaders(self: Any, *args: Any, **kwargs: Any) -> Any:
        sending = _begin(self)
        if sending is None:
            return original(self, *args, **kwargs)
        with sending:
            return original(self, *args, **kwargs)

    return endheaders


def _begin(connection: Any) -> HttpSend | None:
    try:
        if not connection._buffer:
            return None  # no request was begun, as the connection will say itself
        method, url, present = _buffered(connection)
        sending = HttpSend("http.client", method, url, present)
        _put(connection, sending)
        setattr(connection, _SENDING, sending)
    except Exception:  # noqa: BLE001  (the request goes out as it is)
        failed("forwarding over HTTP")
        return None
    return sending


def _answering(original: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        sending: HttpSend | None = self.__dict__.pop(_SENDING, None)
        try:
            response = original(self, *args, **kwargs)
        except BaseException as error:
            if sending is not None:
                sending.failed(error)
            raise
        if sending is not None:
            sending.answered(response.status)
        return response

    return getresponse


def _buffered(connection: Any) -> tuple[str, str, dict[str, str]]:
    """Method, URL and headers of the request that ``connection`` is about to send."""
    lines = [line.decode("latin-1") for line in connection._buffer]
    method, path = lines[0].split(" ")[:2]
    present = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        present[name] = value.strip()
    if path[:1] != "/" and "://" in path:  # through a proxy
        return method, path, present
    scheme = "https" if connection.default_port == 443 else "http"
    host = next((present[name] for name in present if name.lower() == "host"), connection.host)
    return method, f"{scheme}://{host}{path}", present


def _put(connection: Any, sending: HttpSend) -> None:
    gone = tuple(f"{name}:".lower().encode() for name in sending.replaces)
    if gone:
        buffer = connection._buffer
        buffer[1:] = [line for line in buffer[1:] if not line.lower().startswith(gone)]
    for name, value in sending.headers.items():
        connection.putheader(name, value)
