"""Find one request's story where its log lines are."""

from __future__ import annotations

import difflib
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from clew.errors import ClewError
from clew.stories.endings import NOT_STARTED
from clew.stories.lines import EPOCH
from clew.stories.parse import STOPPED, read
from clew.stories.reconstruct import reconstruct
from clew.stories.source import lines_of_each, looked_through
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.stories.model import Story
    from clew.stories.source import Source

    class Session(Protocol):
        """A `clew.localcloud.LocalCloud`, or a boto3 session."""

        def client(self, service_name: str) -> Any:
            """A boto3 client."""


#: So much of an id names it, if no other id begins the same way.
MIN_PREFIX = 8
#: Where nobody said how long, a story is waited for so long, if it is as young as that.
DEFAULT_WAIT_S = 3.0
_YOUNG_S = 30.0
#: Breaks behind which there may be a function that could not be loaded; its log has no id.
_MAY_NOT_HAVE_STARTED = frozenset(("not received", "send failed", "no answer"))
#: What is an id even where no line has it under clew's name: one word, with a digit in it.
_MAY_BE_ID = re.compile(r"(?=.*[0-9])[\w.:/=+@#-]{8,256}", re.ASCII).fullmatch
_POLL_S = 0.2
_MAX_REQUESTS = 20
#: An invocation takes 15 minutes at most ("Lambda quotas"); its last line is a little late.
_LONGEST_MIN = 16
_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last that datetime knows
_MAX_ID = 256
_MAX_SHOWN = 64
_MAX_NAMED = 3
_MAX_COMPARED = 200


class StoryError(ClewError):
    """No story, or more than one, has that id."""


def find_story(
    where: Session | Source,
    id: str,  # noqa: A002  (the domain's word)
    *,
    since: datetime | None = None,
    wait_s: float | None = None,
) -> Story:
    """The story of the request ``id``: what it did, in every function that logged with clew.

    Log lines come late. With ``wait_s``, it is read again until its first line is there, every
    send has been received and it grows no more, for so many seconds at most. Without, it is
    waited for only if it is seconds old and misses something, for 3 seconds at most.

    Args:
        where: A local cloud, a boto3 session, or a source of your own.
        id: The request's id, or the first 8 characters of it or more.
        since: An aware time; older lines are not read.
        wait_s: How many seconds to wait at most.

    Raises:
        StoryError: No request has that id, or several ids begin that way.
        ClewError: The log lines could not be read.
    """
    source = source_in(where)
    if not id:
        raise StoryError("A story needs the id of its request, or the first 8 characters of it.")
    deadline = time.monotonic() + (DEFAULT_WAIT_S if wait_s is None else wait_s)
    before = -1
    while True:
        story, size = read_story(source, id, since)
        late = not time.monotonic() < deadline  # also if it is no number
        if story:
            missing = story.awaited_since_ms()
            settled = missing is None and (size == before or not wait_s)
            if settled or late or (wait_s is None and not _is_young(missing)):
                return story
        elif late or wait_s is None:
            return _among_all(source, id, since)
        before = size
        time.sleep(min(_POLL_S, max(deadline - time.monotonic(), 0)))


def source_in(where: Session | Source) -> Source:
    """The log lines of a local cloud or a boto3 session; a source is one already."""
    if not hasattr(where, "client"):
        return where
    from clew.stories.cloudwatch import CloudWatchSource, source_of

    local = getattr(where, "name", None)
    if local is not None:
        client = getattr(where, "own_client", where.client)  # which no injected fault strikes
        return CloudWatchSource(client("logs"), f"the local cloud {local}")
    return source_of(where)


def _is_young(at_ms: int | None) -> bool:
    return at_ms is not None and time.time() - at_ms / 1000 < _YOUNG_S


def read_story(
    source: Source,
    id: str,  # noqa: A002
    since: datetime | None = None,
) -> tuple[Story | None, int]:
    """The story as far as it is logged, and how many lines there are of it; None if none is.

    Raises:
        StoryError: Several ids begin that way.
        ClewError: The log lines could not be read.
    """
    raw = list(source.lines(id, since))
    lines = read(raw)
    known = lines.latest_ids()
    full = id if id in known else _only(_begins(known, id), id)
    if full is None and _MAY_BE_ID(id) and lines.mention(id):
        full = id  # of functions without clew, which have it in their own way
    if full is None:
        return None, 0
    story = reconstruct(lines, full)
    # What Lambda says of an invocation, and the parts of an invocation line that hold nothing of
    # this request, carry no id but that of the invocation.
    missing = {hop.request_id for hop in story.hops if hop.outcome == "unfinished"}
    missing |= {one.line.request_id for one in lines.invocations if not one.complete}
    raw += lines_of_each(source, sorted(missing - {""})[:_MAX_REQUESTS], since, _around(story))
    if missing:
        lines = read(raw)
        story = reconstruct(lines, full)
    if any(hop.outcome == "unfinished" and not hop.texts for hop in story.hops):
        raw += lines_of_each(source, STOPPED, since, _around(story))
        lines = read(raw)
        story = reconstruct(lines, full)
    if any(one.kind in _MAY_NOT_HAVE_STARTED for one in story.breaks):
        raw += lines_of_each(source, (NOT_STARTED,), since, _around(story))
        lines = read(raw)
        story = reconstruct(lines, full)
    return story, len(lines.ordinary) + len(lines.invocations) + len(lines.texts)


def _around(story: Story) -> tuple[datetime, datetime]:
    """When an invocation that has to do with it can have logged."""
    first = story.at_ms - 60_000
    last = story.at_ms + story.duration_ms + _LONGEST_MIN * 60_000
    # A log may say that something was at the end of all times, or took for ever.
    bounded = (min(max(one, 0), _LAST_MS) for one in (first, last))
    since, until = (EPOCH + timedelta(milliseconds=one) for one in bounded)
    return since, until


def _begins(known: Iterable[str], prefix: str) -> list[str]:
    return [each for each in known if each.startswith(prefix)] if len(prefix) >= MIN_PREFIX else []


def _only(candidates: list[str], prefix: str) -> str | None:
    if len(candidates) > 1:
        message = (
            f"{len(candidates)} requests have ids that begin with {_shown(prefix)} "
            f"({_listed(candidates)}); say more of it."
        )
        raise StoryError(message)
    return candidates[0] if candidates else None


def _among_all(source: Source, id: str, since: datetime | None) -> Story:  # noqa: A002
    """The last try, with every line: not every log is searched by the beginning of a word."""
    # A store finds beginnings itself, and may be too large to be read.
    recent_ids = getattr(source, "recent_ids", None)
    if recent_ids is not None:
        known = recent_ids(since)
    elif getattr(source, "finds_beginnings", False):
        raise StoryError(_nothing(source, id, since, ""))  # more than it found is not there
    else:
        lines = read(source.lines(None, since))
        known = lines.latest_ids()
        full = id if id in known else _only(_begins(known, id), id)
        if full is not None:
            return reconstruct(lines, full)
    recent = sorted(known, key=lambda each: known[each], reverse=True)
    near = difflib.get_close_matches(id[:_MAX_ID], recent[:_MAX_COMPARED], n=_MAX_NAMED)
    near += [each for each in recent[:_MAX_NAMED] if each not in near]
    nearest = (
        f"the nearest recent ids are {_listed(near[:_MAX_NAMED])}"
        if near
        else "no line there has an id at all (lines come some seconds late)"
    )
    raise StoryError(_nothing(source, id, since, nearest))


def _nothing(source: Source, id: str, since: datetime | None, nearest: str) -> str:  # noqa: A002
    """That there is no such story, where it was looked for, and what to try."""
    until = None if since is None else datetime.now(UTC)
    searched = looked_through(source, since, until)
    further = "" if since is None else "look further back with --since, or "
    hint = getattr(source, "hint", "") or (
        f"{further}search by what it logged, with clew story --search"
    )
    said = "; ".join(filter(None, (nearest, hint)))
    return f"No log line has the id {_shown(id)} in {searched}; {said}."


def _listed(ids: list[str]) -> str:
    shown = [_shown(each) for each in ids[:_MAX_NAMED]]
    more = ", …" if len(ids) > _MAX_NAMED else ""
    return ", ".join(shown) + more


def _shown(id: str) -> str:  # noqa: A002
    return visible(id if len(id) <= _MAX_SHOWN else f"{id[:_MAX_SHOWN]}…")
