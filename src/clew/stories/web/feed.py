"""Takes what a local cloud logs into a store, for as long as both are there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from clew.errors import ClewError
from clew.stories.store import Entry

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from clew.stories.web.site import Site

_LOOK_S = 0.4
_TRIES = 10


class Feed:
    """A thread that reads the cloud's logs again and again. What it saw before is stored once."""

    def __init__(self, site: Site, cloud: LocalCloud) -> None:
        self._site = site
        self._cloud = cloud
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clew-feed", daemon=True)

    def start(self) -> None:
        """Take what is there already, and go on."""
        from clew.localcloud.logs import NewLines

        self._reader = NewLines(None)
        self._take()
        self._thread.start()

    def stop(self) -> None:
        """End it; returns when it has."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _take(self) -> None:
        lines = self._cloud.log_lines(None, self._reader.since)
        new = self._reader.among(lines)
        if new:
            self._site.shelf.add(
                Entry(
                    round(one.timestamp.timestamp() * 1000), one.log_group, one.stream, one.message
                )
                for one in new
            )

    def _run(self) -> None:
        failed = 0
        while not self._ended.wait(_LOOK_S):
            try:
                self._take()
                failed = 0
            except ClewError as error:
                failed += 1
                if not self._cloud.alive or failed >= _TRIES:
                    self._site.ended = str(error)
                    return
