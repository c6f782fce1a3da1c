"""Where a story broke, in one plain sentence each. Pure.

A failure that a later delivery made good is no break, nor is one that a later delivery repeated:
the last one is. Neither is an answer that only passes on what broke further down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.stories.model import Break
from clew.stories.naming import clock, in_a_sentence, one_line, source_name

if TYPE_CHECKING:
    from clew.stories.drafts import HopDraft, SendDraft

#: What is sent to these is kept there; nobody has to receive it.
_STORES = frozenset(("s3", "dynamodb", "firehose"))


def judge(hops: list[HopDraft], sends: list[SendDraft], wanted: str) -> None:
    """Find what broke in the request ``wanted``, and note what did not but is worth a word."""
    # Of each set of deliveries, the last that was done and the last that was not, if any.
    last_done: dict[int, int] = {}
    last_lost: dict[int, int] = {}
    for hop in hops:
        if hop.outcome != "unknown":
            last = last_done if hop.outcome == "done" else last_lost
            of_it = id(hop.same_send)
            last[of_it] = max(hop.delivery, last.get(of_it, 0))
    for hop in hops:
        of_it = id(hop.same_send)
        _judge_hop(hop, last_done.get(of_it, 0), last_lost.get(of_it, 0))
    for send in sends:
        _judge_send(send, wanted)


def _judge_hop(hop: HopDraft, last_done: int, last_lost: int) -> None:
    if hop.outcome == "done":
        _judge_done(hop)
    elif hop.outcome == "unknown":
        return
    elif last_done > hop.delivery:
        _say(hop, f"a later attempt succeeded (delivery {last_done})")
    elif last_done and hop.outcome in ("pending", "returned"):
        _say(hop, f"an earlier attempt succeeded (delivery {last_done})")
    elif last_lost > hop.delivery:
        _say(hop, f"it was tried again (delivery {hop.delivery + 1})")
    elif later := _later_life(hop):
        _say(hop, later)
    else:
        target = hop.via.entry.target if hop.via is not None else ""
        end = hop.at_ms + int(hop.duration_ms or 0)
        hop.broken = Break(hop.outcome, _ended(_sentence(hop, end)), hop.function, target, end)


def _later_life(hop: HopDraft) -> str:
    """What says that the record of a hop lived on: through its dead letter, or another's hands."""
    for send in hop.sends:
        if hop.outcome == "dead-lettered" and is_dead_letter(send) and send.receivers:
            return f"its dead letter was taken up again (hop {send.receivers[-1].number})"
    if hop.via is not None and is_dead_letter(hop.via):
        for other in hop.via.receivers:
            if other.outcome == "done":
                return f"its dead letter was delivered elsewhere (hop {other.number})"
            if other.at_ms > hop.at_ms:
                return f"its dead letter was tried again (hop {other.number})"
    return ""


def is_dead_letter(send: SendDraft) -> bool:
    """Whether it was the dead letter of the record that its hop had."""
    return "deadLetter" in send.entry.position


def _judge_done(hop: HopDraft) -> None:
    one = hop.invocation
    if one is None or one.outcome != "error":
        return
    if any(entry.outcome in ("failed", "pending", "returned") for entry in one.received):
        _say(hop, f"its invocation failed on another record{_with_exception(hop)}")
        return
    end = one.started_ms + int(one.duration_ms or 0)
    sentence = (
        f"{hop.function or 'a function'} handled {_received_from(hop)}, but its invocation "
        f"failed at {clock(end)}{_with_exception(hop)}"
    )
    hop.broken = Break("failed", _ended(sentence), hop.function, "", end)


def _sentence(hop: HopDraft, end: int) -> str:
    who, what = hop.function or "a function", _received_from(hop)
    if hop.outcome == "pending":
        why = _with_exception(hop)
        return (
            f"{who} never reached {what}: its invocation, begun at {clock(hop.at_ms)}, "
            f"{'failed' if why else 'ended'} before it{why}"
        )
    if hop.outcome == "unfinished":
        began = f"began to handle {what} at {clock(hop.at_ms)}"
        where = f" ({one_line(hop.error)})" if hop.error else ""
        if hop.texts:
            return f"{who} {began} and was stopped{where}: {one_line(hop.texts[-1].message)}"
        if where:
            return f"{who} {began} and had no time left at {clock(end)}{where}"
        return f"{who} {began} and never logged its end: it still runs, or it was stopped"
    outcome = {
        "failed": f"failed on {what}",
        "skipped": f"skipped {what}",
        "dead-lettered": f"gave up on {what} and dead-lettered it",
        "returned": f"returned {what} for another attempt that never came",
    }.get(hop.outcome, f"ended {what} as {one_line(hop.outcome)}")
    tries = f" after {hop.attempts} attempts" if hop.attempts > 1 else ""
    if len(hop.same_send) > 1:
        tries += f" (delivery {hop.delivery} of {len(hop.same_send)})"
    error = f": {one_line(hop.error)}" if hop.error else _with_exception(hop)
    return f"{who} {outcome} at {clock(end)}{tries}{error}"


def _ended(sentence: str) -> str:
    """With the period that an error at its end may have brought along."""
    return sentence if sentence.endswith(".") else f"{sentence}."


def _received_from(hop: HopDraft) -> str:
    """What a hop received, in words."""
    if hop.via is None:
        source = source_name(hop.source)
        return f"what came from {source}" if source and hop.source != "unknown" else "its event"
    entry = hop.via.entry
    if entry.service == "http":
        return f"the request of {hop.via.function} ({entry.operation})"
    if entry.service == "lambda":
        return f"the invocation by {hop.via.function}"
    target = in_a_sentence(entry.service, entry.operation, entry.target)
    return f"what {hop.via.function} sent to {target}"


def _with_exception(hop: HopDraft) -> str:
    thrown = hop.invocation.line.exception if hop.invocation is not None else None
    if thrown is None:
        return ""
    return f": {one_line(thrown.type)}: {one_line(thrown.message)}"


def _judge_send(send: SendDraft, wanted: str) -> None:
    entry = send.entry
    received = bool(send.receivers)
    waits_for_answer = _waits_for_answer(send)
    if is_dead_letter(send):
        _judge_letter(send)
    elif entry.outcome == "error":
        if received and not waits_for_answer:
            _say(send, "the service answered with an error, but it was received")
        else:
            status = f" with status {entry.status}" if entry.status else ""
            error = f": {one_line(entry.error)}" if entry.error else ""
            _break(send, "send failed", f", and the send failed{status}{error}")
    elif waits_for_answer:
        _judge_answer(send)
    elif received:
        return
    elif not entry.carried:
        _say(send, "it went out without its ids, so that no receiver can be joined to it")
    elif entry.id != wanted:
        _say(send, f"it went out under the id {one_line(entry.id)}")
    elif entry.service not in _STORES:
        send.awaited = True
        unanswered = " (the service did not answer either)" if entry.outcome == "pending" else ""
        _break(send, "not received", f", and nobody received it{unanswered}")


def _judge_letter(send: SendDraft) -> None:
    """Where a dead letter waits, nothing is missing: that its record was given up is said there."""
    entry = send.entry
    name = f"dead letter {one_line(entry.position['deadLetter'], 40)}"
    if entry.outcome != "error":
        _say(send, name)
    elif send.hop is not None and send.hop.outcome == "dead-lettered":
        _say(send, f"{name}, at first not taken: {one_line(entry.error)}")
    else:
        _break(send, "send failed", f", and the send failed: {one_line(entry.error)}")


def _judge_answer(send: SendDraft) -> None:
    entry = send.entry
    if any(hop.broken is not None for hop in send.receivers):
        return  # said there
    if entry.outcome == "pending":
        _break(send, "no answer", ", and no answer came before its invocation ended")
    elif entry.status >= 500:
        _break(send, "send failed", f" and was answered {entry.status}")
    elif entry.error:
        _break(send, "send failed", f", and {one_line(entry.error)}")


def _waits_for_answer(send: SendDraft) -> bool:
    """Whether the sender waited for the receiver itself, not for a service in between."""
    entry = send.entry
    if entry.service == "lambda":
        return entry.position.get("invocationType") != "Event"
    return entry.service == "http" or entry.operation == "StartSyncExecution"


def _break(send: SendDraft, kind: str, what_then: str) -> None:
    entry = send.entry
    who = send.function or "a function"
    verb = {"http": "called", "lambda": "invoked"}.get(entry.service, "sent to")
    target = in_a_sentence(entry.service, entry.operation, entry.target)
    sentence = _ended(f"{who} {verb} {target} at {clock(entry.at_ms)}{what_then}")
    send.broken = Break(kind, sentence, send.function, entry.target, entry.at_ms)


def _say(one: HopDraft | SendDraft, note: str) -> None:
    one.note = f"{one.note}; {note}" if one.note else note
