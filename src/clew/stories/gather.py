"""Which receives, sends and lines belong to one request. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew import wire
from clew.stories.drafts import HopDraft, SendDraft
from clew.stories.endings import is_telling
from clew.stories.lines import LogLine, names
from clew.stories.parse import TIMEOUT

if TYPE_CHECKING:
    from clew.stories.lines import Invocation, Lines, ReceivedEntry, TextLine

#: What was still in hand when the time of an invocation was nearly up.
_UNFINISHED = {TIMEOUT: "unfinished"}
_INCOMPLETE = "{function} wrote its invocation line in {total} parts, of which {seen} were found"


@dataclass(slots=True)
class Gathered:
    """What belongs to one request, not yet joined."""

    hops: list[HopDraft] = field(default_factory=list)
    sends: list[SendDraft] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def gather(lines: Lines, wanted: str) -> Gathered:
    """Everything of the request ``wanted`` (its id); nothing of others that shared its batches."""
    by_span: dict[str, HopDraft] = {}
    spanless: list[HopDraft] = []
    if wanted:
        for invocation in lines.invocations:
            _take_received(invocation, wanted, by_span, spanless)
        _take_lines(lines, wanted, by_span, spanless)
    hops = [*by_span.values(), *spanless]
    sends = _take_sends(lines.invocations, wanted, by_span, hops) if wanted else []
    _take_texts(lines.texts, hops)
    if wanted:
        hops += _take_mentions(lines, wanted, hops)
    for hop in hops:
        _place_in_time(hop)
    incomplete = [hop.invocation for hop in hops if hop.invocation and not hop.invocation.complete]
    partial = dict.fromkeys(_incomplete(one) for one in incomplete)
    return Gathered(hops, sends, tuple(partial))


def _incomplete(one: Invocation) -> str:
    function = one.line.function or "a function"
    if one.line.cut:
        return f"The end of an invocation line of {function} was cut off"
    return _INCOMPLETE.format(function=function, total=one.chunks_total, seen=len(one.chunks))


def _take_received(
    invocation: Invocation, wanted: str, by_span: dict[str, HopDraft], spanless: list[HopDraft]
) -> None:
    mine = [entry for entry in invocation.received if entry.id == wanted]
    for entry in mine:
        if not entry.span:
            spanless.append(_received(invocation, entry))
        elif entry.span not in by_span:
            by_span[entry.span] = _received(invocation, entry)
    # Beside its records, a batch has an id and a span of its own, for what concerns none of them.
    line = invocation.line
    if line.id != wanted or line.span in by_span:
        return
    if not line.span:  # of a line that was changed: there is nothing else to know it by
        if not mine:
            spanless.append(_whole(invocation))
        return
    if all(one.span for one in mine) and all(
        entry.span != line.span for entry in invocation.received
    ):
        by_span[line.span] = _whole(invocation)


def _received(invocation: Invocation, entry: ReceivedEntry) -> HopDraft:
    hop = _whole(invocation)
    hop.span, hop.parent, hop.trace_id = entry.span, entry.parent, entry.trace
    hop.outcome = _UNFINISHED.get(entry.outcome, entry.outcome) or "unknown"
    hop.attempts = entry.attempts
    hop.position = entry.position
    hop.error = entry.error
    if entry.ms is not None:
        hop.duration_ms = entry.ms if entry.attempts else None
    if invocation.line.span != entry.span:
        hop.ids, hop.chain = {wire.ID: entry.id}, 0
    return hop


def _whole(invocation: Invocation) -> HopDraft:
    """A hop that stands for a whole invocation."""
    line = invocation.line
    outcomes = {"ok": "done", "error": "failed", **_UNFINISHED}
    # Where the line was cut before it said so, its level still does.
    level = "failed" if line.cut and line.level == "ERROR" else "unknown"
    outcome = outcomes.get(invocation.outcome, level)
    return HopDraft(
        function=line.function,
        log_group=line.log_group,
        request_id=line.request_id,
        span=line.span,
        parent=line.parent,
        trace_id=line.trace_id,
        at_ms=invocation.started_ms,
        outcome=outcome,
        source=invocation.source,
        duration_ms=invocation.duration_ms,
        cold_start=line.cold_start,
        invocation=invocation,
        ids=dict(line.ids),
        chain=line.chain,
    )


def _take_lines(
    lines: Lines,
    wanted: str,
    by_span: dict[str, HopDraft],
    spanless: list[HopDraft],
) -> None:
    """Put every line under its hop; a hop that only lines tell of is made for them."""
    incomplete = {
        (one.line.log_group, one.line.request_id) for one in lines.invocations if not one.complete
    }
    without_span: list[LogLine] = []
    for line in lines.ordinary:
        hop = by_span.get(line.span) if line.span else None
        if hop is None and line.id == wanted:
            if not line.span:
                without_span.append(line)
                continue
            known = (line.log_group, line.request_id) not in incomplete
            hop = by_span[line.span] = _implied(line, "unfinished" if known else "unknown")
        if hop is not None:
            _add_line(hop, line)
    of_invocation: dict[tuple[str, str], list[HopDraft]] = defaultdict(list)
    for hop in (*by_span.values(), *spanless):
        of_invocation[hop.log_group, hop.request_id].append(hop)
    flat: dict[tuple[str, str], HopDraft] = {}
    for line in without_span:
        key = line.log_group, line.request_id
        if key not in flat:
            of_it = of_invocation[key]
            if len(of_it) == 1:  # no doubt whose line it is
                flat[key] = of_it[0]
            else:
                flat[key] = _implied(line, "unknown")
                spanless.append(flat[key])
        _add_line(flat[key], line)


def _implied(line: LogLine, outcome: str) -> HopDraft:
    return HopDraft(
        function=line.function,
        log_group=line.log_group,
        request_id=line.request_id,
        span=line.span,
        parent=line.parent,
        trace_id=line.trace_id,
        at_ms=line.at_ms,
        outcome=outcome,
        cold_start=line.cold_start,
        ids={wire.ID: line.id},
    )


def _add_line(hop: HopDraft, line: LogLine) -> None:
    hop.lines.append(line)
    hop.ids.update(line.ids)
    hop.chain = line.chain or hop.chain


def _take_sends(
    invocations: tuple[Invocation, ...],
    wanted: str,
    by_span: dict[str, HopDraft],
    hops: list[HopDraft],
) -> list[SendDraft]:
    """The sends of these hops, and those that carried the id all the same."""
    of_invocation: dict[int, list[HopDraft]] = defaultdict(list)
    for hop in hops:
        of_invocation[id(hop.invocation)].append(hop)
    sends = []
    for invocation in invocations:
        of_it = of_invocation.get(id(invocation), [])
        for entry in invocation.sent:
            sender = by_span.get(entry.parent) if entry.parent else None
            if sender is None and entry.id != wanted:
                continue
            if sender is None and len(of_it) == 1:
                sender = of_it[0]
            send = SendDraft(entry, invocation.line.function, sender)
            if sender is not None:
                sender.sends.append(send)
            sends.append(send)
    for hop in hops:
        hop.sends.sort(key=lambda send: send.at_ms)
        hop.lines.sort(key=lambda line: line.at_ms)
    return sorted(sends, key=lambda send: send.at_ms)


def _place_in_time(hop: HopDraft) -> None:
    """A record of a batch began when the first thing was logged or sent for it."""
    one = hop.invocation
    if one is None or len(one.received) > 1:
        seen = [line.at_ms for line in hop.lines] + [send.at_ms for send in hop.sends]
        hop.at_ms = max(min(seen, default=hop.at_ms), one.started_ms if one else 0)


def _take_texts(texts: tuple[TextLine, ...], hops: list[HopDraft]) -> None:
    """What Lambda said of an invocation that did not come to its end."""
    unfinished: dict[tuple[str, str], list[HopDraft]] = defaultdict(list)
    for hop in hops:
        if hop.outcome == "unfinished" and hop.request_id:
            unfinished[hop.log_group, hop.request_id].append(hop)
    for text in texts:
        if not text.bookkeeping or is_telling(text):
            for hop in unfinished.get((text.log_group, text.request_id), ()):
                hop.texts.append(text)


def _take_mentions(lines: Lines, wanted: str, hops: list[HopDraft]) -> list[HopDraft]:
    """Lines without an id of their own that have this one in their text, however they have it.

    They go to the hop of their invocation, if there is no doubt which that is; else a hop is made
    for them, of which no more is known.
    """
    has_it = names(wanted)
    found: list[LogLine | TextLine] = [
        line for line in lines.ordinary if line.text and has_it(line.text)
    ]
    found += [text for text in lines.texts if not text.bookkeeping and has_it(text.message)]
    if not found:
        return []
    taken = {id(line) for hop in hops for line in (*hop.lines, *hop.texts)}
    of_request: dict[tuple[str, str], list[HopDraft]] = defaultdict(list)
    of_stream: dict[tuple[str, str], list[HopDraft]] = defaultdict(list)
    for hop in hops:
        of_request[hop.log_group, hop.request_id].append(hop)
        for stream in {line.stream for line in hop.lines} | hop.own_stream:
            of_stream[hop.log_group, stream].append(hop)
    made: dict[tuple[str, str, str], HopDraft] = {}
    touched: dict[int, HopDraft] = {}
    for line in sorted(found, key=lambda one: one.at_ms):
        if id(line) in taken:
            continue
        # The first thing in a text that looks like a request's id may be the one that is wanted.
        request_id = line.request_id if line.request_id != wanted else ""
        near = of_request.get((line.log_group, request_id), []) if request_id else []
        near = near or of_stream.get((line.log_group, line.stream), [])
        key = line.log_group, line.stream, request_id
        if len(near) == 1:
            hop = near[0]
        elif key in made:
            hop = made[key]
        else:
            hop = made[key] = _mentioned(line, wanted, request_id)
        touched[id(hop)] = hop
        if isinstance(line, LogLine):
            hop.lines.append(line)
        else:
            hop.texts.append(line)
    for hop in touched.values():
        hop.lines.sort(key=lambda line: line.at_ms)
    return list(made.values())


def _mentioned(line: LogLine | TextLine, wanted: str, request_id: str) -> HopDraft:
    return HopDraft(
        function=line.log_group.rpartition("/")[2],
        log_group=line.log_group,
        request_id=request_id,
        span="",
        parent="",
        at_ms=line.at_ms,
        outcome="unknown",
        ids={wire.ID: wanted},
    )
