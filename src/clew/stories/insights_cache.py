"""What Insights answered, in a store: asking again costs nothing.

The lines of all answers are in one store for each account and region. What was asked stands among
them, a line for each log group: a digest of the question, and the time that it was about.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from clew.stories.insights_plan import Covered, Span
from clew.stories.lines import EPOCH, RawLine
from clew.stories.store import Entry, Query, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

#: The log group of what was asked, which is none.
ASKED = "clew-insights"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9-]").sub
_LARGEST = 500 * 10**6
_MOST_ANSWERS = 200


class Cache:
    """The answers about the log groups of one account and region."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def of(cls, folder: Path, arn: str) -> Cache:
        """The cache for the account and region of a log group, made if there is none.

        Raises:
            StoreError: It cannot be used, or somebody else writes to it.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # what functions log is private
        parts = arn.split(":")
        name = "-".join((*parts[3:5], "")) if len(parts) > 5 else "unknown-"
        return cls(Store(folder / f"{_NOT_IN_A_NAME('_', name)}insights.db", write=True))

    def known(self, arn: str, regex: str) -> list[Covered]:
        """The times for which the answer to a question about a log group is known."""
        page = self._store.search(Query(ids={"requestId": _key(arn, regex)}, limit=_MOST_ANSWERS))
        return [one for line in page.lines if (one := _covered(line.message)) is not None]

    def lines(self, groups: Iterable[str], regex: str, span: Span) -> Iterator[RawLine]:
        """The lines of those log groups that match, as Insights would find them."""
        names = frozenset(groups)
        matches = re.compile(regex, re.DOTALL).search
        for line in self._store.entries(_at(span.start_s), _at(span.end_s + 1)):
            if line.log_group in names and matches(line.message):
                yield RawLine(*line[:4])

    def add(self, lines: Iterable[RawLine], arns: Iterable[str], regex: str, told: Covered) -> None:
        """Keep an answer: its lines first, so that what is said to be known is there."""
        self._store.add(lines)
        # At the beginning of its time, so that what prunes its lines takes this with them.
        self._store.add(
            Entry(told.span.start_s * 1000, ASKED, "", _asked(_key(arn, regex), told))
            for arn in arns
        )

    def close(self) -> None:
        """Let go of the file; the oldest answers go if it has become large."""
        try:
            self._store.prune(larger_than=_LARGEST)
        finally:
            self._store.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _key(arn: str, regex: str) -> str:
    return "insights-" + sha256(json.dumps([arn, regex]).encode()).hexdigest()[:40]


def _asked(key: str, told: Covered) -> str:
    return json.dumps({"requestId": key, "span": list(told.span), "asked": told.asked_s})


def _covered(message: str) -> Covered | None:
    try:
        said = json.loads(message)
        start, end = said["span"]
        return Covered(Span(int(start), int(end)), int(said["asked"]))
    except (ValueError, KeyError, TypeError):
        return None


def _at(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
