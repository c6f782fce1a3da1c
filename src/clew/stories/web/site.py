"""What the pages are served from, and to whom."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.stories.web.shelf import Shelf

T = TypeVar("T")

#: A token that is shorter can be tried out.
MIN_TOKEN = 16
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KEPT = 64


class WebError(ClewError):
    """The pages cannot be served, or one of them not shown."""


class Cache:
    """What was worked out for a page a moment ago. Two that ask at once wait for one answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Any, tuple[float, Any]] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}

    def get(
        self,
        key: Any,
        make: Callable[[], T],
        seconds: float,
        keep: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """What ``make`` gave for this key, no longer ago than that.

        Args:
            key: What it is of.
            make: Works it out.
            seconds: How long it is good for.
            keep: Whether it is small enough to be kept.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                at, value = self._known.get(key, (float("-inf"), None))
            if time.monotonic() - at < seconds:
                return value  # type: ignore[no-any-return]
            made = make()
            with self._lock:
                if not keep(made):
                    self._making.pop(key, None)
                    return made
                self._known[key] = time.monotonic(), made
                self._known.move_to_end(key)
                while len(self._known) > _KEPT:
                    old, _ = self._known.popitem(last=False)
                    self._making.pop(old, None)
            return made


@dataclass(slots=True)
class Site:
    """One set of pages.

    Args:
        shelf: Where the lines are.
        where: What they are of, in words: ``the local cloud demo``.
        session: A boto3 session for the pages of streams and dead letters; without it, these are
            not there.
        cloud: The `clew.localcloud.LocalCloud` that is looked at, if it is one.
        table: The DynamoDB table of the scaling functions.
        token: What a browser, and whoever ships lines, has to show. Required beyond loopback.
        host: The address that is bound.
        names: Names under which a browser may ask, beside addresses and ``localhost``.
    """

    shelf: Shelf
    where: str
    session: Any = None
    cloud: Any = None
    table: str = "clew-scaling"
    token: str = ""
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    #: Signs what forms carry; new with every start.
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    cache: Cache = field(default_factory=Cache)
    #: Set when the server ends, so that streams of events do.
    closing: threading.Event = field(default_factory=threading.Event)
    #: Why no more lines come, or "".
    ended: str = ""
    #: What a form brought about, shown once on the page after it.
    told: OrderedDict[str, tuple[str, ...]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        if self.token and len(self.token) < MIN_TOKEN:
            raise WebError(f"The token is too short; give {MIN_TOKEN} characters or more.")
        if not self.token and self.host not in LOOPBACK:
            raise WebError(
                f"The pages show all that your functions log, so beyond this machine ({self.host}) "
                "they need a token: say --token, or set CLEW_UI_TOKEN."
            )

    def tell(self, *sentences: str) -> str:
        """Keep sentences for the next page; their key."""
        key = secrets.token_urlsafe(9)
        self.told[key] = sentences
        while len(self.told) > _KEPT:
            self.told.popitem(last=False)
        return key
