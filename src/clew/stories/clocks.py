"""Clocks that differ from host to host, as far as a story shows it. Pure.

Nothing is received before it was sent, and who waits for an answer ends after who gives it. Where
times say otherwise, a clock is wrong. Each log stream is of one host; the difference of every
stream's clock to that where the story begins lies between bounds that follow from all hops
together (a system of difference constraints, whose bounds are shortest paths). Whatever may be
right is taken to be right: a clock is corrected by no more than has to be.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.stories.drafts import HopDraft

    _Host = tuple[str, str]
    _Bounds = dict[_Host, dict[_Host, int]]

#: Milliseconds: what is logged is cut to whole ones, and clocks are set all the time.
_ROUNDING = 2
#: A contradiction of so much is a clock's. Less may be what a busy machine makes of its own times,
#: and which of two clocks it is of is seldom sure then.
_HEEDED = 250
#: From here on a difference is worth a word.
_WORTH_A_NOTE = 20
#: Farther than any two clocks are apart.
_FAR = 1 << 60
#: Corrections of bounds for each host; more only where times contradict each other.
_MAX_ROUNDS = 50


def set_clocks(hops: list[HopDraft]) -> list[str]:
    """Set the times of hops whose clocks were wrong; what to say of it, a sentence for each."""
    # Most often all hosts of a function go wrong together, or one has served only part of it.
    for host in (_function, _stream):
        bounds = _bounds(hops, host)
        if not any(most < -_HEEDED for others in bounds.values() for most in others.values()):
            return []
        fast = _differences(bounds, host(next((hop for hop in hops if hop.via is None), hops[0])))
        if fast is not None:
            for hop in hops:
                if by_ms := fast.get(host(hop), 0):
                    _set_back(hop, by_ms)
            return _said(hops, fast, host)
    return []


def _differences(bounds: _Bounds, first: _Host) -> dict[_Host, int] | None:
    """By how many ms each host's clock is fast, as far as it has to be; None if nothing fits."""
    turned: _Bounds = defaultdict(dict)
    for one, others in bounds.items():
        for other, bound in others.items():
            turned[other][one] = bound
    most, least = _shortest(bounds, first), _shortest(turned, first)
    fast: dict[_Host, int] = {}
    for host in (*most, *least):
        low, high = -least.get(host, _FAR), most.get(host, _FAR)
        if low > high + _HEEDED:
            return None  # they contradict each other
        fast[host] = _nearest_to_nothing(low, high)
    _let_others_be_right(fast, bounds, turned)
    return fast if _is_settled(fast, bounds) else None


def _nearest_to_nothing(low: int, high: int) -> int:
    return low if low > 0 else min(high, 0)


def _let_others_be_right(fast: dict[_Host, int], bounds: _Bounds, turned: _Bounds) -> None:
    """Of those that have to be wrong, let each be so by what lets the others be right."""
    for host in [host for host, by_ms in fast.items() if by_ms]:
        above = [most for one, most in turned.get(host, {}).items() if not fast.get(one, 0)]
        below = [-most for other, most in bounds.get(host, {}).items() if not fast.get(other, 0)]
        low, high = max(below, default=-_FAR), min(above, default=_FAR)
        if low <= high:
            fast[host] = _nearest_to_nothing(low, high)


def _is_settled(fast: dict[_Host, int], bounds: _Bounds) -> bool:
    """Whether all bounds hold; where two are right each, but not together, the receiver is slow."""
    for _ in range(_MAX_ROUNDS):
        changed = False
        for one, others in bounds.items():
            for other, bound in others.items():
                if fast.get(other, 0) > fast.get(one, 0) + bound + _HEEDED:
                    fast[other] = fast.get(one, 0) + bound
                    changed = True
        if not changed:
            return True
    return False


def _said(
    hops: list[HopDraft], fast: dict[_Host, int], host: Callable[[HopDraft], _Host]
) -> list[str]:
    worst: dict[str, int] = {}
    for hop in hops:
        by_ms = fast.get(host(hop), 0)
        if abs(by_ms) >= _WORTH_A_NOTE and abs(by_ms) > abs(worst.get(hop.function, 0)):
            worst[hop.function] = by_ms
    return [
        f"The clock of {function or 'a function'} is about {_length(abs(by_ms))} "
        f"{'fast' if by_ms > 0 else 'slow'}, and its times are shown without that"
        for function, by_ms in worst.items()
    ]


def _length(ms: int) -> str:
    return f"{ms} ms" if ms < 10_000 else f"{ms // 1000} s"


def _function(hop: HopDraft) -> _Host:
    return hop.log_group, ""


def _stream(hop: HopDraft) -> _Host:
    if hop.invocation is not None:
        return hop.log_group, hop.invocation.line.stream
    return hop.log_group, hop.lines[0].stream if hop.lines else ""


def _bounds(hops: list[HopDraft], host: Callable[[HopDraft], _Host]) -> _Bounds:
    """``bounds[one][other]``: by how many ms the other's clock may be ahead of the one's."""
    bounds: _Bounds = defaultdict(dict)

    def bound(one: _Host, other: _Host, most: int) -> None:
        if one != other and most < bounds[one].get(other, most + 1):
            bounds[one][other] = most

    for hop in hops:
        above = hop.above
        if above is None or hop.via is None:
            continue
        sender, receiver = host(above), host(hop)
        bound(sender, receiver, hop.at_ms - hop.via.at_ms + _ROUNDING)
        if hop.via.waits_for_answer and hop.via.entry.outcome == "ok" and hop.ended_ms:
            ended = above.ended_ms
            if ended is not None:
                bound(receiver, sender, ended - hop.ended_ms + _ROUNDING)
    return bounds


def _shortest(bounds: _Bounds, first: _Host) -> dict[_Host, int]:
    """The sum of bounds on the shortest way from ``first`` to each host (Bellman and Ford)."""
    found = {first: 0}
    rounds: dict[_Host, int] = defaultdict(int)
    waiting = deque([first])
    queued = {first}
    while waiting:
        one = waiting.popleft()
        queued.discard(one)
        rounds[one] += 1
        if rounds[one] > _MAX_ROUNDS:
            continue
        for other, bound in bounds.get(one, {}).items():
            if found[one] + bound < found.get(other, _FAR):
                found[other] = found[one] + bound
                if other not in queued:
                    queued.add(other)
                    waiting.append(other)
    return found


def _set_back(hop: HopDraft, by_ms: int) -> None:
    """Let everything of a hop have happened so much earlier."""
    hop.at_ms = max(hop.at_ms - by_ms, 0)
    hop.lines = [replace(line, at_ms=max(line.at_ms - by_ms, 0)) for line in hop.lines]
    hop.texts = [replace(text, at_ms=max(text.at_ms - by_ms, 0)) for text in hop.texts]
    for send in hop.sends:
        send.entry = replace(send.entry, at_ms=max(send.entry.at_ms - by_ms, 0))
    one = hop.invocation
    if one is not None:
        hop.invocation = replace(one, started_ms=max(one.started_ms - by_ms, 0))
