"""Where log lines come from. Pure: what a source has to have, and the answer's bounds."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from clew.stories.lines import RawLine

#: Services say in many ways that somebody may not do something; all of them say so.
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized|Forbidden")
_ACTION = re.compile(r"\bperform:? ([a-z0-9-]+:\w+)").search
_WHO = re.compile(r"\b(?:User|Principal): (\S+)").search


class Source(Protocol):
    """A place to read log lines from; `clew.stories.cloudwatch` is one.

    Where a reading costs something, or all lines are too many to read, a source is a `ManyAtOnce`
    besides. Its ``finds_beginnings`` says that an id is also found by its beginning; its ``hint``,
    what to try where nothing was found.
    """

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


class ManyAtOnce(Protocol):
    """A source that looks for several texts in one reading."""

    def any_of(
        self, texts: Sequence[str], since: datetime | None = None, until: datetime | None = None
    ) -> Iterable[RawLine]:
        """The lines that hold any of the texts, in whatever letter case; more may come."""

    def newest(
        self, word: str, since: datetime | None = None, until: datetime | None = None
    ) -> Iterable[RawLine]:
        """Some thousands of lines that hold a word, in whatever case: the newest ones.

        With a ``*`` at its end, it is the beginning of a word.
        """


def lines_of_each(
    source: Source,
    texts: Sequence[str],
    since: datetime | None,
    near: tuple[datetime, datetime] | None = None,
) -> Iterable[RawLine]:
    """The lines that hold any of a few texts: in one reading where the source can, or one each.

    Args:
        source: Where they are.
        texts: Untrusted.
        since: An aware time; older lines need not come.
        near: The time that they are of, for a source that is asked what it takes to answer.
    """
    any_of = getattr(source, "any_of", None)
    if any_of is not None:
        if texts:
            yield from any_of(texts, *(near or (since,)))
        return
    for text in texts:
        yield from source.lines(text, since)


def looked_through(source: Source, since: datetime | None, until: datetime | None) -> str:
    """What was searched and from when to when, for a sentence."""
    said = source.name
    if since is not None:
        said += f" from {since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if until is not None:
        said += f" to {until.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return f"{said} UTC" if since is not None or until is not None else said


def unreadable(where: str, error: Any, service: str = "logs") -> ClewError:
    """One sentence for what botocore raised: the action that is missing, or what AWS said."""
    answer = getattr(error, "response", None)
    told = answer.get("Error", {}) if isinstance(answer, dict) else {}
    said = " ".join(str(told.get("Message") or error).split())
    if not _DENIED.search(str(told.get("Code", ""))):
        return ClewError(f"{where} could not be read: {' '.join(str(error).split())}")
    named = _ACTION(said)
    action = named[1] if named else f"{service}:{getattr(error, 'operation_name', '*')}"
    who = _WHO(said)
    return ClewError(
        f"{where} may not be read by {who[1] if who else 'these credentials'}: allow {action}, or"
        " use another --profile."
    )
