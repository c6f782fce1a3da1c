"""A story while it happens: read again and again, until nothing of it is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from clew.stories.find import read_story
from clew.stories.lines import LogLine
from clew.stories.naming import one_line, source_name, target_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from clew.stories.lines import TextLine
    from clew.stories.model import Hop, Send, Story
    from clew.stories.source import Source

#: Lines come late: a story is only whole if nothing came for so long.
QUIET_S = 3.0


class Event(NamedTuple):
    """One thing that happened in a story."""

    at_ms: int
    what: tuple[object, ...]  # the same thing in a later reading of the story has the same
    function: str
    said: str


def follow(
    source: Source,
    id: str,  # noqa: A002
    *,
    since: datetime | None = None,
    poll_s: float = 1.0,
    for_s: float | None = None,
    quiet_s: float = QUIET_S,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Story | None]:
    """The story whenever there is more of it; ends when it is whole and nothing came for a while.

    The first value may be None: nothing of it is there yet.

    Args:
        source: Where its lines are.
        id: The request's id, or the beginning of it.
        since: An aware time; older lines are not read.
        poll_s: Seconds between readings.
        for_s: Seconds after which it ends in any case; None for never.
        quiet_s: How long nothing must have come.
        sleep: Waits.

    Raises:
        StoryError: Several ids begin that way.
        ClewError: The log lines could not be read.
    """
    began = grew = time.monotonic()
    before = -1
    while True:
        story, size = read_story(source, id, since)
        now = time.monotonic()
        if size != before:
            before, grew = size, now
            yield story
        if story and story.awaited_since_ms() is None and now - grew >= quiet_s:
            return
        if for_s is not None and now - began >= for_s:
            return
        sleep(poll_s)


def events(story: Story) -> list[Event]:
    """What happened, in the order of time: hops, what they logged and sent, and how they ended.

    Breaks are none of them: while it still happens, what is missing may come.
    """
    found: list[Event] = []
    for hop in story.hops:
        found += _of_hop(hop)
    found += [_sent(send) for send in story.sends]
    return sorted(found, key=lambda one: one.at_ms)


def _of_hop(hop: Hop) -> Iterator[Event]:
    # Without the span, which a hop of which only the id is known gets later.
    own = (hop.log_group, hop.request_id, hop.span)
    source = source_name(hop.source)
    yield Event(hop.at_ms, ("hop", *own), hop.function, f"began{f' ({source})' if source else ''}")
    lines: list[LogLine | TextLine] = [*hop.lines, *hop.texts]
    for line in lines:
        if isinstance(line, LogLine):
            said = f"{line.level} {line.message}"
            if line.exception is not None:
                said += f": {line.exception.type}: {line.exception.message}"
        else:
            said = line.message
        yield Event(line.at_ms, ("line", *own, line.at_ms, said), hop.function, one_line(said, 500))
    for send in hop.sends:
        yield _sent(send)
    if hop.outcome not in ("unfinished", "unknown"):
        end_ms = hop.at_ms + int(hop.duration_ms or 0)
        took = "" if hop.duration_ms is None else f" after {hop.duration_ms:.0f} ms"
        thrown = hop.exception
        why = hop.error or (f"{thrown.type}: {thrown.message}" if thrown else "")
        why = f": {one_line(why)}" if why and hop.outcome != "done" else ""
        yield Event(end_ms, ("end", *own), hop.function, f"{hop.outcome}{took}{why}")


def _sent(send: Send) -> Event:
    name = target_name(send.service, send.operation, send.target)
    answer = f" answered {send.status}" if send.status and send.service == "http" else ""
    wrong = f" failed: {one_line(send.error)}" if send.outcome == "error" else ""
    what = ("send", send.span or (send.service, send.target, send.at_ms))
    return Event(send.at_ms, what, send.function, f"-> {name}{answer}{wrong}")
