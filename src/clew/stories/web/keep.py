"""Keeps a store that is served from growing for ever: whoever serves it is its one writer."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from clew.errors import ClewError

if TYPE_CHECKING:
    from clew.stories.web.site import Site

_log = logging.getLogger(__name__)
_EVERY_S = 600.0


class Keep:
    """A thread that deletes what is too old, now and every ten minutes."""

    def __init__(self, site: Site, seconds: float) -> None:
        self._site = site
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clew-keep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it; returns when it has."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                age = timedelta(seconds=min(self._seconds, 1e9))
                self._site.shelf.prune(older_than=datetime.now(UTC) - age)
            except ClewError as error:
                _log.warning("%s", error)
            if self._ended.wait(_EVERY_S):
                return
