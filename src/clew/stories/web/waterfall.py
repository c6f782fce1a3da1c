"""A story as rows of a waterfall: hops in the order of the tree, and sends that nobody received.

Pure. Places and lengths are in thousandths of the story's time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.stories.model import Hop, Send
from clew.stories.naming import source_name, target_name
from clew.stories.web import entry, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.model import Story

#: How far a row is moved to the right at most.
MAX_DEPTH = 10
WIDTH = 1000
_MAX_LINES = 300
_MAX_MARKS = 200
_WORDS = {
    "failed": "failed",
    "skipped": "skipped",
    "dead-lettered": "dead-lettered",
    "returned": "returned",
    "pending": "never reached",
    "unfinished": "unfinished",
}
#: Outcomes that a person should look at, unless a later attempt made them good.
_LOST = frozenset(("failed", "skipped", "dead-lettered"))


@dataclass(frozen=True, slots=True)
class Item:
    """A line or a send below a hop, in the order of time."""

    offset_ms: int
    line: entry.Shown | None = None
    send: Sent | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A send in words."""

    name: str
    offset_ms: int
    answer: str  # "200", or ""
    bad: bool
    note: str
    error: str
    broken: str  # the break's sentence, or ""
    hops: tuple[int, ...]
    letter: str  # the id of a dead letter, or ""
    queue: str  # where that was sent, if it is a queue


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the waterfall."""

    anchor: str
    depth: int
    at: float
    wide: float
    tone: str  # a class of the stylesheet: done, bad, warn, open or unknown
    name: str
    by: str  # what brought it here: "SNS topic orders"
    offset_ms: int
    took: str
    word: str
    broken: str
    hop: Hop | None = None
    sent: Sent | None = None
    marks: tuple[float, ...] = ()  # where it sent something
    items: tuple[Item, ...] = ()
    hidden: int = 0
    said: tuple[str, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    thrown: str = ""
    stack: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is to be seen at once what is in it."""
        return bool(self.broken)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All rows of a story, and its axis."""

    rows: tuple[Row, ...]
    hidden: int  # rows that are left out
    ticks: tuple[tuple[float, str], ...]


def waterfall(story: Story, first: int = 0, most: int = 500) -> Waterfall:
    """The rows from one on, as many as that."""
    ordered = list(_ordered(story))
    total = max(story.duration_ms, 1)
    rows = tuple(
        _of_hop(story, one, total) if isinstance(one, Hop) else _of_send(story, one, depth, total)
        for one, depth in ordered[first : first + most]
    )
    return Waterfall(rows, max(len(ordered) - first - most, 0), _ticks(total))


def _ordered(story: Story) -> Iterator[tuple[Hop | Send, int]]:
    """Hops, and of the sends those that no row of a hop stands for, with their depth."""
    tops: list[tuple[Hop | Send, int]] = [(hop, 0) for hop in story.hops if not hop.joined]
    tops += [(send, 0) for send in story.sends]
    stack = sorted(tops, key=lambda one: one[0].at_ms, reverse=True)
    drawn: set[int] = set()
    orphans = {id(send) for send in story.sends}
    while stack:
        one, depth = stack.pop()
        below: list[tuple[Hop | Send, int]] = []
        if isinstance(one, Hop):
            if one.number in drawn:
                continue
            drawn.add(one.number)
            yield one, depth
            for send in one.sends:
                below += _below(story, send, depth + 1)
        elif one.received_by and id(one) in orphans:
            below += _below(story, one, depth, of_send=True)
            yield one, depth
        else:
            yield one, depth
        stack.extend(reversed(below))


def _below(
    story: Story, send: Send, depth: int, *, of_send: bool = False
) -> list[tuple[Hop | Send, int]]:
    hops: list[tuple[Hop | Send, int]] = [
        (hop, depth) for number in send.received_by if (hop := story.hop(number)).joined
    ]
    if hops:
        return hops
    worth = send.broken is not None or send.awaited or "deadLetter" in send.position
    return [(send, depth)] if worth and not of_send else []


def _of_hop(story: Story, hop: Hop, total: int) -> Row:
    broken = hop.broken.sentence if hop.broken is not None else ""
    start = hop.at_ms - story.at_ms
    ends = [line.at_ms - story.at_ms for line in hop.lines]
    took = hop.duration_ms if hop.duration_ms is not None else max([start, *ends]) - start
    items = [Item(line.at_ms - story.at_ms, entry.of_line(line)) for line in hop.lines[:_MAX_LINES]]
    items += [Item(text.at_ms - story.at_ms, entry.of_text(text)) for text in hop.texts]
    items += [Item(send.at_ms - story.at_ms, send=_sent(story, send)) for send in hop.sends]
    logged = {(one.exception.type, one.exception.message) for one in hop.lines if one.exception}
    thrown = hop.exception
    if thrown is not None and (thrown.type, thrown.message) in logged:
        thrown = None
    return Row(
        anchor=f"hop-{hop.number}",
        depth=min(hop.depth, MAX_DEPTH),
        at=_place(start, total),
        wide=_wide(start, took, total),
        tone=_tone(hop),
        name=entry.cut(hop.function, 140) or "a function",
        by=_by(story, hop),
        offset_ms=start,
        took=words.length(hop.duration_ms),
        word=_WORDS.get(hop.outcome, "" if hop.outcome in ("done", "unknown") else hop.outcome),
        broken=broken,
        hop=hop,
        marks=tuple(_place(one.at_ms - story.at_ms, total) for one in hop.sends[:_MAX_MARKS]),
        items=tuple(sorted(items, key=lambda item: item.offset_ms)),
        hidden=max(len(hop.lines) - _MAX_LINES, 0),
        said=tuple(_said(hop)),
        ids=entry.ids_of(hop.ids_added),
        facts=tuple(_facts(hop)),
        thrown=entry.thrown_in(thrown),
        stack=entry.stack_of(thrown),
    )


def _tone(hop: Hop) -> str:
    if hop.broken is not None:
        return "bad"
    if hop.outcome == "unfinished":
        return "open"
    if hop.outcome in _LOST or hop.outcome in ("returned", "pending"):
        return "warn"
    return "unknown" if hop.outcome == "unknown" else "done"


def _by(story: Story, hop: Hop) -> str:
    """What brought it: the send that it answers, or its source."""
    if hop.joined and hop.parent:
        above = story.hop(hop.above).sends if hop.above is not None else story.sends
        for send in above:
            if hop.number in send.received_by:
                return entry.cut(target_name(send.service, send.operation, send.target), 80)
    return entry.cut(source_name(hop.source), 60)


def _said(hop: Hop) -> Iterator[str]:
    if hop.deliveries > 1:
        yield f"delivery {hop.delivery} of {hop.deliveries}"
    if hop.attempts > 1:
        yield f"{hop.attempts} attempts"
    if hop.cold_start:
        yield "cold start"
    if hop.note:
        yield entry.cut(hop.note, 300)


def _facts(hop: Hop) -> Iterator[tuple[str, str]]:
    if hop.source:
        yield "source", entry.cut(source_name(hop.source), 60)
    if hop.request_id:
        yield "request", entry.cut(hop.request_id, 128)
    for name, value in list(hop.position.items())[:8]:
        yield entry.cut(name, 40), entry.cut(value, 128)
    if hop.span:
        yield "span", entry.cut(hop.span, 32)
    if hop.error:
        yield "error", entry.cut(hop.error, 1000)


def _sent(story: Story, send: Send) -> Sent:
    answer = str(send.status) if send.status and send.service == "http" else ""
    return Sent(
        name=entry.cut(target_name(send.service, send.operation, send.target), 140),
        offset_ms=send.at_ms - story.at_ms,
        answer=answer,
        bad=send.broken is not None or send.status >= 500 or send.outcome == "error",
        note=entry.cut(send.note, 300),
        error=entry.cut(send.error, 500),
        broken=send.broken.sentence if send.broken is not None else "",
        hops=send.received_by,
        letter=entry.cut(send.position.get("deadLetter", ""), 128),
        queue=re.split("[/:]", send.target)[-1] if send.service == "sqs" else "",
    )


def _of_send(story: Story, send: Send, depth: int, total: int) -> Row:
    sent = _sent(story, send)
    place = _place(sent.offset_ms, total)
    return Row(
        anchor=f"sent-{send.span or send.at_ms}" if send.span.isalnum() else f"sent-{send.at_ms}",
        depth=min(depth, MAX_DEPTH),
        at=place,
        wide=0,
        tone="bad" if send.broken is not None else "letter" if sent.letter else "warn",
        name=sent.name,
        by=f"by {entry.cut(send.function, 140)}" if depth == 0 and send.function else "",
        offset_ms=sent.offset_ms,
        took="",
        word=_became(send, sent),
        broken=sent.broken,
        sent=sent,
        said=(sent.note,) if sent.note else (),
    )


def _became(send: Send, sent: Sent) -> str:
    if send.broken is not None:
        return send.broken.kind
    return "dead letter" if sent.letter else ""


def _place(offset_ms: float, total: int) -> float:
    return round(min(max(offset_ms / total, 0), 1) * WIDTH, 1)


def _wide(start: float, took: float, total: int) -> float:
    return round(_place(start + took, total) - _place(start, total), 1)


def _ticks(total: int) -> tuple[tuple[float, str], ...]:
    """Four parts of the time."""
    return tuple((part / 4, words.length(round(total * part / 4))) for part in range(5))
