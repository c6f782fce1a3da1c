"""From log lines to the story of one request. Pure.

A hop is one receive. A hop stands under the send whose span it has as its parent; whatever does
not fit (a parent that nobody logged, a circle, a clock that runs late) still has its place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from clew import wire
from clew.stories.breaks import judge
from clew.stories.clocks import set_clocks
from clew.stories.drafts import SendDraft
from clew.stories.gaps import find_gaps, fits
from clew.stories.gather import gather
from clew.stories.model import Story

if TYPE_CHECKING:
    from clew.stories.drafts import HopDraft
    from clew.stories.lines import Lines, LogLine
    from clew.stories.model import Gap

_ORPHAN = "its sender is not in the logs"
_DESTINATION = "aws:lambda-destination"
_TOLERANCE_MS = 1000
_CIRCLE = "its senders form a circle, so the tree begins here"


def reconstruct(lines: Lines, id: str) -> Story:  # noqa: A002  (the domain's word)
    """The story of the request ``id``; a false one where ``lines`` know nothing of it."""
    gathered = gather(lines, id)
    hops, sends = gathered.hops, gathered.sends
    _join(hops, sends)
    _cut_circles(hops)
    clocks = set_clocks(hops)
    sends.sort(key=lambda send: send.at_ms)
    hops = _ordered(hops, sends)
    _note_deliveries(hops)
    _find_destinations(sends)
    _add_ids(hops)
    gaps = find_gaps(hops, sends)
    judge(hops, sends, id, lines)
    return _story(id, hops, sends, gaps, (*gathered.notes, *clocks))


def _join(hops: list[HopDraft], sends: list[SendDraft]) -> None:
    """Put every hop under the send that it answers."""
    by_span: dict[str, list[SendDraft]] = defaultdict(list)
    same_message: dict[tuple[str, str, str], list[HopDraft]] = defaultdict(list)
    for send in sends:
        entry = send.entry
        if entry.span:
            by_span[entry.span].append(send)
            # What is sent again as it was (by a client that tries again, say) is one message.
            send.receivers = same_message[entry.span, entry.service, entry.target]
    candidates = {span: _Candidates(of_span) for span, of_span in by_span.items()}
    for hop in sorted(hops, key=lambda hop: hop.at_ms):
        sent = candidates.get(hop.parent) if hop.parent else None
        if sent is not None:
            hop.via = sent.sender(hop)
            hop.via.receivers.append(hop)
            hop.via.own.append(hop)
        elif hop.parent:
            hop.note = _ORPHAN


class _Candidates:
    """The sends of one span: several, where a message was passed on as it came."""

    def __init__(self, sends: list[SendDraft]) -> None:
        self._sends = sorted(sends, key=lambda send: send.at_ms)
        self._fitting: dict[str, list[SendDraft]] = {}

    def sender(self, hop: HopDraft) -> SendDraft:
        """Which of them it was: one that fits, and the latest before it; not its own."""
        if len(self._sends) == 1:
            return self._sends[0]
        fitting = self._fitting.get(hop.source)
        if fitting is None:
            fitting = [send for send in self._sends if fits(hop, send)]
            self._fitting[hop.source] = fitting
        of_others = _nearest(hop, fitting) or _nearest(hop, self._sends)
        return of_others or (fitting or self._sends)[-1]


def _nearest(hop: HopDraft, sends: list[SendDraft]) -> SendDraft | None:
    """The latest send before a hop, else the earliest after it, that is not of the hop itself."""
    place = bisect_right(sends, hop.at_ms, key=lambda send: send.at_ms)
    for number in chain(range(place - 1, -1, -1), range(place, len(sends))):
        if sends[number].hop is not hop:
            return sends[number]
    return None


def _cut_circles(hops: list[HopDraft]) -> None:
    """Let the tree begin at the earliest hop of a circle of senders, which only false logs have."""
    finished: set[int] = set()
    for hop in hops:
        path: list[HopDraft] = []
        on_path: set[int] = set()
        step: HopDraft | None = hop
        while step is not None and id(step) not in finished and id(step) not in on_path:
            path.append(step)
            on_path.add(id(step))
            step = step.above
        if step is not None and id(step) in on_path:
            circle = path[path.index(step) :]
            first = min(circle, key=lambda one: one.at_ms)
            if first.via is not None:
                first.via.own.remove(first)
            first.via, first.note = None, _CIRCLE
        finished |= on_path


def _ordered(hops: list[HopDraft], sends: list[SendDraft]) -> list[HopDraft]:
    """Number the hops, each after the one above it, those of one level by time."""
    tops: list[HopDraft | SendDraft] = [hop for hop in hops if hop.via is None]
    tops += [send for send in sends if send.hop is None]
    ordered: list[HopDraft] = []
    pending = sorted(tops, key=lambda one: one.at_ms, reverse=True)
    while pending:
        step = pending.pop()
        if isinstance(step, SendDraft):
            below = step.own
        else:
            ordered.append(step)
            step.number = len(ordered)
            step.depth = 0 if step.above is None else step.above.depth + 1
            below = [hop for send in step.sends for hop in send.own]
        pending.extend(reversed(below))
    return ordered


def _note_deliveries(hops: list[HopDraft]) -> None:
    """Find the deliveries of one send to one function: more than one are attempts."""
    groups: dict[tuple[str, str], list[HopDraft]] = defaultdict(list)
    for hop in sorted(hops, key=lambda hop: hop.at_ms):
        if hop.parent:
            groups[hop.parent, hop.function].append(hop)
    for group in groups.values():
        for delivery, hop in enumerate(group, 1):
            hop.same_send, hop.delivery = group, delivery


def _find_destinations(sends: list[SendDraft]) -> None:
    """Find who was told that an invocation failed for good.

    Lambda tells a destination, or a dead-letter queue, of an event by handing it on with the
    context that it came with: it answers the same send as those that failed on it.
    """
    seen: set[int] = set()
    for send in sends:
        receivers = send.receivers  # which several sends of one message share
        if len(receivers) < 2 or send.is_dead_letter or id(receivers) in seen:
            continue
        seen.add(id(receivers))
        told = [hop for hop in receivers if hop.source == _DESTINATION or not fits(hop, send)]
        if told:
            _tell(told, [hop for hop in receivers if _was_asked(hop, send)])


def _was_asked(hop: HopDraft, send: SendDraft) -> bool:
    return fits(hop, send) or hop.outcome == "unfinished" or not hop.source


def _tell(told: list[HopDraft], asked: list[HopDraft]) -> None:
    """Join each that was told to the last one before it that was asked."""
    asked = sorted(asked, key=lambda hop: hop.at_ms)
    times = [hop.at_ms for hop in asked]
    for hop in told:
        place = bisect_right(times, hop.at_ms + _TOLERANCE_MS)
        last = asked[place - 1] if place else None
        if last is None or last.function == hop.function:
            continue
        hop.origin = last
        if last.outcome in ("failed", "unfinished"):
            last.destination = last.destination or hop


def _add_ids(hops: list[HopDraft]) -> None:
    """Say which ids each hop added: those that the hop that sent it does not know."""
    for hop in hops:
        known = hop.above.ids if hop.above is not None else {}
        hop.ids_added = {
            name: value
            for name, value in hop.ids.items()
            if name != wire.ID and known.get(name) != value
        }


def _story(
    id: str,  # noqa: A002
    hops: list[HopDraft],
    sends: list[SendDraft],
    gaps: list[Gap],
    notes: tuple[str, ...],
) -> Story:
    starts = [hop.at_ms for hop in hops] + [send.at_ms for send in sends]
    ends = [hop.at_ms + int(hop.duration_ms or 0) for hop in hops]
    ends += [line.at_ms for hop in hops for line in hop.lines]
    start = min(starts, default=0)
    lines = [line for hop in hops for line in _lines_of(hop)]
    verdicts = [hop.broken for hop in hops] + [send.broken for send in sends]
    broken = [verdict for verdict in verdicts if verdict is not None]
    _number_receivers(sends)
    return Story(
        id=id,
        hops=tuple(hop.freeze() for hop in hops),
        sends=tuple(send.freeze() for send in sends if send.hop is None),
        breaks=tuple(sorted(broken, key=lambda one: one.at_ms)),
        gaps=tuple(sorted(gaps, key=lambda one: one.at_ms)),
        notes=notes,
        at_ms=start,
        duration_ms=max([*starts, *ends], default=start) - start,
        trace_ids=tuple(dict.fromkeys(hop.trace_id for hop in hops if hop.trace_id)),
        debug=any(line.debug == "true" for line in lines),
        user_agent=next((line.user_agent for line in lines if line.user_agent), ""),
    )


def _number_receivers(sends: list[SendDraft]) -> None:
    numbers: dict[int, tuple[int, ...]] = {}  # of the receivers that sends of one message share
    for send in sends:
        key = id(send.receivers)
        if key not in numbers:
            numbers[key] = tuple(hop.number for hop in send.receivers)
        send.received_by = numbers[key]


def _lines_of(hop: HopDraft) -> list[LogLine]:
    """Its lines, and what its invocation line has in common with them."""
    own = hop.invocation.line if hop.invocation is not None else None
    return [own, *hop.lines] if own is not None and own.span == hop.span else hop.lines
