"""Where a story broke, in one plain sentence each. Pure.

A failure that a later delivery made good is no break, nor is one that a later delivery repeated:
the last one is. Neither is an answer that only passes on what broke further down, nor a send that
was tried again and taken.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from clew.stories.drafts import note
from clew.stories.endings import OUT_OF_MEMORY, TIMED_OUT, ending_of
from clew.stories.model import BREAK_KINDS, Break
from clew.stories.naming import clock, in_a_sentence, one_line, source_name
from clew.stories.sends import judge_sends

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.stories.drafts import HopDraft, SendDraft
    from clew.stories.lines import Lines

_ASYNC = frozenset(("aws:sns", "aws:events", "aws:s3", "aws:ses", "aws:iot", "aws:cloudwatch"))
_STREAMS = frozenset(("aws:kinesis", "aws:dynamodb"))
_AFTER_ASYNC = (
    "Lambda tries such an event three times, if not told otherwise, and then drops it or hands it "
    "to an on-failure destination or dead-letter queue: no function's log says which."
)
_AFTER_SQS = (
    "The message is back in its queue or in that queue's dead-letter queue: no log says which."
)
_AFTER_STREAM = (
    "Its mapping tries it again, or has given it up, to an on-failure destination if there is "
    "one: no function's log says which."
)


def judge(
    hops: list[HopDraft],
    sends: list[SendDraft],
    wanted: str,
    lines: Lines,
) -> None:
    """Find what broke in the request ``wanted``, and note what did not but is worth a word."""
    # Of each set of deliveries, the last that was done and the last that was not, if any.
    last_done: dict[int, int] = {}
    last_lost: dict[int, int] = {}
    for hop in hops:
        if hop.outcome != "unknown":
            last = last_done if hop.outcome == "done" else last_lost
            of_it = id(hop.same_send)
            last[of_it] = max(hop.delivery, last.get(of_it, 0))
    known: dict[int, _Lives] = {}

    def lives_of(receivers: list[HopDraft]) -> _Lives:
        return known.get(id(receivers)) or known.setdefault(id(receivers), _Lives(receivers))

    for hop in hops:
        of_it = id(hop.same_send)
        _judge_hop(hop, last_done.get(of_it, 0), last_lost.get(of_it, 0), lives_of)
    judge_sends(sends, wanted, lines)


def _judge_hop(
    hop: HopDraft,
    last_done: int,
    last_lost: int,
    lives_of: Callable[[list[HopDraft]], _Lives],
) -> None:
    if hop.origin is not None:
        origin = hop.origin
        kind = "destination" if hop.origin.outcome == "done" else "on-failure destination"
        note(hop, f"{kind} of {origin.function or 'a function'} (hop {origin.number})")
    if hop.outcome == "done":
        _judge_done(hop)
    elif hop.outcome == "unknown":
        return
    elif last_done > hop.delivery:
        note(hop, f"a later attempt succeeded (delivery {last_done})")
    elif last_done and hop.outcome in ("pending", "returned"):
        note(hop, f"an earlier attempt succeeded (delivery {last_done})")
    elif last_lost > hop.delivery:
        note(hop, f"it was tried again (delivery {hop.delivery + 1})")
    elif later := _later_life(hop, lives_of):
        note(hop, later)
    else:
        _break(hop)


def _break(hop: HopDraft) -> None:
    target = hop.via.entry.target if hop.via is not None else ""
    end = hop.at_ms + int(hop.duration_ms or 0)
    kind, sentence = _kind_and_sentence(hop, end)
    unknown = _afterwards(hop, kind)
    if hop.destination is not None:
        told = hop.destination
        sentence += (
            f"; it went to its on-failure destination, where {told.function or 'a function'} "
            f"received it (hop {told.number})"
        )
        kind, unknown = "on-failure destination", ""
    hop.broken = Break(
        kind, _ended(sentence), hop.function, target, end, unknown, hop.number or None
    )


def _afterwards(hop: HopDraft, kind: str) -> str:
    """What no log says of a record after it failed for the last time that is known."""
    if hop.outcome not in ("failed", "returned", "pending", "unfinished"):
        return ""
    if kind == "unfinished":
        return ""  # it may still run
    if hop.source in _STREAMS:
        return _AFTER_STREAM
    if hop.source == "aws:sqs":
        return _AFTER_SQS
    invoked = hop.via is not None and hop.via.entry.service == "lambda"
    if hop.source in _ASYNC or (invoked and hop.via and not hop.via.waits_for_answer):
        return _AFTER_ASYNC
    return ""


def _later_life(hop: HopDraft, lives_of: Callable[[list[HopDraft]], _Lives]) -> str:
    """What says that the record of a hop lived on: through its dead letter, or another's hands."""
    for send in hop.sends:
        if hop.outcome == "dead-lettered" and send.is_dead_letter and send.receivers:
            return f"its dead letter was taken up again (hop {send.receivers[-1].number})"
    if hop.via is not None and hop.via.is_dead_letter and len(hop.via.receivers) > 1:
        lives = lives_of(hop.via.receivers)
        later = lives.after(hop.at_ms)
        done = lives.done
        if done is not None and (later is None or done.at_ms <= later.at_ms):
            return f"its dead letter was delivered elsewhere (hop {done.number})"
        if later is not None:
            return f"its dead letter was tried again (hop {later.number})"
    return ""


class _Lives:
    """The lives of a dead letter, by time."""

    def __init__(self, receivers: list[HopDraft]) -> None:
        self._hops = sorted(receivers, key=lambda hop: hop.at_ms)
        self._times = [hop.at_ms for hop in self._hops]
        self.done = next((hop for hop in self._hops if hop.outcome == "done"), None)

    def after(self, at_ms: int) -> HopDraft | None:
        """The first that began later."""
        place = bisect_right(self._times, at_ms)
        return self._hops[place] if place < len(self._hops) else None


def _judge_done(hop: HopDraft) -> None:
    one = hop.invocation
    if one is None or one.outcome != "error":
        return
    if any(entry.outcome in ("failed", "pending", "returned") for entry in one.received):
        note(hop, f"its invocation failed on another record{_with_exception(hop)}")
        return
    end = one.started_ms + int(one.duration_ms or 0)
    sentence = (
        f"{hop.function or 'a function'} handled {_received_from(hop)}, but its invocation "
        f"failed at {clock(end)}{_with_exception(hop)}"
    )
    hop.broken = Break("failed", _ended(sentence), hop.function, "", end, hop=hop.number or None)


def _kind_and_sentence(hop: HopDraft, end: int) -> tuple[str, str]:
    who, what = hop.function or "a function", _received_from(hop)
    if hop.outcome == "unfinished":
        return _unfinished(hop, who, what, end)
    if hop.outcome == "pending":
        why = _with_exception(hop)
        return "pending", (
            f"{who} never reached {what}: its invocation, begun at {clock(hop.at_ms)}, "
            f"{'failed' if why else 'ended'} before it{why}"
        )
    tries = f" after {hop.attempts} attempts" if hop.attempts > 1 else ""
    if len(hop.same_send) > 1:
        tries += f" (delivery {hop.delivery} of {len(hop.same_send)})"
    thrown = hop.error or _thrown(hop)
    error = f": {one_line(thrown).rstrip(': ')}" if thrown else ""
    at = f"at {clock(end)}{tries}{error}"
    if thrown.startswith("LoopDetected"):
        return "loop stopped", f"{who} refused {what}, whose call chain goes in a circle, {at}"
    if thrown.startswith("MemoryError") and hop.outcome == "failed":
        return OUT_OF_MEMORY, f"{who} ran out of memory on {what} {at}"
    outcome = {
        "failed": f"failed on {what}",
        "skipped": f"skipped {what}",
        "dead-lettered": f"gave up on {what} and dead-lettered it",
        "returned": f"returned {what} for another attempt that never came",
    }.get(hop.outcome, f"ended {what} as {one_line(hop.outcome)}")
    again = (
        " again" if hop.outcome == "dead-lettered" and hop.via and hop.via.is_dead_letter else ""
    )
    kind = hop.outcome if hop.outcome in BREAK_KINDS else "failed"  # of a line that was changed
    return kind, f"{who} {outcome}{again} {at}"


def _unfinished(hop: HopDraft, who: str, what: str, end: int) -> tuple[str, str]:
    many = len(hop.same_send)
    tries = f" (delivery {hop.delivery} of {many})" if many > 1 else ""
    began = f"{who} began to handle {what} at {clock(hop.at_ms)}{tries}"
    where = f" ({one_line(hop.error)})" if hop.error else ""
    kind, words = ending_of(hop.texts)
    if kind == TIMED_OUT:
        return kind, f"{began} and was stopped{where}: {words}"
    if kind == OUT_OF_MEMORY:
        return kind, f"{began} and ran out of memory{where}: {words}"
    if kind:
        return kind, f"{began} and its process died{where}: {words}"
    if where:
        return TIMED_OUT, f"{began} and had no time left at {clock(end)}{where}"
    if hop.texts:
        last = one_line(hop.texts[-1].message)
        return hop.outcome, f"{began} and never logged its end; the last that was said: {last}"
    return hop.outcome, f"{began} and never logged its end: it still runs, or it was stopped"


def _ended(sentence: str) -> str:
    """With the period that an error at its end may have brought along."""
    return sentence if sentence.endswith(".") else f"{sentence}."


def _received_from(hop: HopDraft) -> str:
    """What a hop received, in words."""
    if hop.via is None:
        source = source_name(hop.source)
        if hop.source == "aws:lambda":
            return f"a {source}"
        return f"what came from {source}" if source and hop.source != "unknown" else "its event"
    entry = hop.via.entry
    if hop.via.is_dead_letter:
        return f"the dead letter of {hop.via.function or 'a function'}"
    if entry.service == "http":
        return f"the request of {hop.via.function} ({entry.operation})"
    if entry.service == "lambda":
        return f"the invocation by {hop.via.function}"
    target = in_a_sentence(entry.service, entry.operation, entry.target)
    return f"what {hop.via.function} sent to {target}"


def _thrown(hop: HopDraft) -> str:
    thrown = hop.invocation.line.exception if hop.invocation is not None else None
    return f"{thrown.type}: {thrown.message}" if thrown is not None else ""


def _with_exception(hop: HopDraft) -> str:
    thrown = hop.invocation.line.exception if hop.invocation is not None else None
    if thrown is None:
        return ""
    return f": {one_line(thrown.type)}: {one_line(thrown.message)}"
