"""Where log lines come from. Pure: what a source has to have, and the answer's bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from clew.stories.lines import RawLine


class Source(Protocol):
    """A place to read log lines from; `clew.stories.cloudwatch` is one."""

    @property
    def name(self) -> str:
        """What was searched, for a sentence: ``12 log groups of the local cloud blue``."""

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterable[RawLine]:
        """The lines that hold ``text`` (a request's id, say), or all lines where it is None.

        More lines than those may come, a line may come twice, and in any order.

        Args:
            text: Untrusted.
            since: An aware time; only what is not older.
            until: An aware time; only what is not newer.
        """
