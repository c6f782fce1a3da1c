"""The HTTP client aiohttp: headers.

Each step of a redirect is a request of its own, stamped when it is sent.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar

from clew.forward.http_headers import HttpSend, forbidden
from clew.forward.patching import replace, restore
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The requests of the call in hand, in order: all but the first follow a redirect.
_steps: ContextVar[list[Any] | None] = ContextVar("clew_aiohttp", default=None)
_SENDING = "_clew_sending"


def _patches() -> list[tuple[type, str, Callable[[Any], Any]]]:
    client = sys.modules["aiohttp.client"]
    return [
        (client.ClientSession, "_request", _calling),
        (client.ClientRequest, "send", _stamping),
        (client.ClientResponse, "start", _answering),
        (client.BaseConnector, "connect", _connecting),
    ]


def hook() -> None:
    """Stamp every request that a session sends."""
    for owner, name, make in _patches():
        replace(owner, name, make)


def unhook() -> None:
    """Stamp nothing any more."""
    for owner, name, _ in _patches():
        restore(owner, name)


def _begin(request: Any) -> HttpSend:
    return HttpSend("aiohttp", request.method, str(request.url), request.headers)


def _calling(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _request(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = _steps.get()
        _steps.set([])
        try:
            return await original(self, *args, **kwargs)
        finally:
            _steps.set(before)  # no token: it may be closed in another context

    return _request


def _stamping(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        _drop_forbidden(self)
        with _begin(self) as sending:
            try:
                self.headers.update(sending.headers)  # the request's own, made for this step
            except Exception:  # noqa: BLE001  (the request goes out as it is)
                failed("forwarding over HTTP")
            response = await original(self, *args, **kwargs)
        try:
            setattr(response, _SENDING, sending)
        except AttributeError:  # a response class of the user's, with slots
            sending.answered(0)
        return response

    return send


def _answering(original: Callable[..., Any]) -> Callable[..., Any]:
    async def start(self: Any, *args: Any, **kwargs: Any) -> Any:
        sending: HttpSend | None = getattr(self, _SENDING, None)
        try:
            result = await original(self, *args, **kwargs)
        except BaseException as error:
            if sending is not None:
                sending.failed(error)
            raise
        if sending is not None:
            sending.answered(self.status)
        return result

    return start


def _connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    async def connect(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await original(self, request, *args, **kwargs)
        except BaseException as error:
            with _begin(request) as sending:  # it never gets as far as being sent
                sending.failed(error)
            raise

    return connect


def _drop_forbidden(request: Any) -> None:
    try:
        steps = _steps.get()
        if steps is None:
            return
        if steps:
            for name in forbidden(str(request.url), request.headers):
                del request.headers[name]
        steps.append(request.url)
    except Exception:  # noqa: BLE001  (the request goes out as it is)
        failed("following a redirect")
