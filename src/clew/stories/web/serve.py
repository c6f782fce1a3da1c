"""Serves a site until it is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from clew.errors import ClewError
from clew.stories.web.site import WebError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.stories.web.site import Site

_ENOUGH = 128  # connections at once


def serve(site: Site, port: int, ready: Callable[[str], object]) -> None:
    """Serve the pages; returns when somebody interrupts it.

    Args:
        site: What is served.
        port: Where; 0 for any that is free.
        ready: Called with the address when it can be opened.

    Raises:
        WebError: The address cannot be had.
    """
    import uvicorn

    from clew.stories.web.app import make_app

    listener = _listen(site.host, port)
    url = address(site.host, listener.getsockname()[1])

    class _Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready(url)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            site.closing.set()  # what is followed live would go on for ever
            await super().shutdown(sockets)

    config = uvicorn.Config(
        make_app(site),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_ENOUGH,
        timeout_graceful_shutdown=3,
    )
    _end_in_order()
    warming = threading.Thread(target=_warm, args=(site,), name="clew-warm")
    warming.start()
    try:
        _Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        site.closing.set()
        listener.close()
        warming.join()


def _warm(site: Site) -> None:
    """What the first visitor would wait for; what fails here, fails for them with a sentence."""
    from clew.stories.web import render, search

    with contextlib.suppress(ClewError):
        render.warm()
        search.warm(site)


def _end_in_order() -> None:
    """Have SIGTERM end it as Ctrl-C does: files that are only for now are removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def open_browser(url: str) -> None:
    """Open a page, where there is a screen; one in the terminal would be in the way."""
    import webbrowser

    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen or sys.platform in ("darwin", "win32"):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def address(host: str, port: int) -> str:
    """What to open: an address that stands for all is opened on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise WebError(
            f"The address {host}, port {port}, cannot be had: {error.strerror or error}; "
            "name another --port, or 0 for any."
        ) from error
