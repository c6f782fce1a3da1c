"""What became of each send of a story, and which of them broke it. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from clew.stories.drafts import note
from clew.stories.endings import COULD_NOT_START, failed_starts
from clew.stories.model import Break
from clew.stories.naming import clock, one_line, sent_to, short_target

if TYPE_CHECKING:
    from clew.stories.drafts import SendDraft
    from clew.stories.lines import Lines

#: What is sent to these is kept there; nobody has to receive it.
_STORES = frozenset(("s3", "dynamodb", "firehose"))
#: What services say where there is too much ("Error retries and exponential backoff in AWS", and
#: each service's API reference, "Common Errors").
_THROTTLED = re.compile(
    r"Throttl|ProvisionedThroughputExceeded|TooManyRequests|RequestLimitExceeded|SlowDown"
    r"|LimitExceeded|Rate ?Exceeded|PriorRequestNotComplete|ReservedFunctionConcurrent",
    re.IGNORECASE,
).search
#: What clients say that waited long enough: requests, httpx, urllib3, aiohttp, botocore, sockets.
_LATE = re.compile(r"timed? ?out", re.IGNORECASE).search
#: Operations that send several messages, each with a fate of its own.
_BATCHES = frozenset(
    ("PutRecords", "PutRecordBatch", "SendMessageBatch", "PublishBatch", "PutEvents")
)
#: Messages of one call are stamped at once, or nearly.
_SAME_CALL_MS = 5
#: How long after a send somebody who could not be loaded may have been meant to receive it.
_START_WITHIN_MS = 60_000


def judge_sends(sends: list[SendDraft], wanted: str, lines: Lines) -> None:
    """Find which sends broke; their hops have to be judged already."""
    starts = _FailedStarts(lines)
    broken = {  # receivers that sends of one message share, of which one broke
        key
        for key, receivers in {id(send.receivers): send.receivers for send in sends}.items()
        if any(hop.broken is not None for hop in receivers)
    }
    made_good = _made_good(sends)
    for send in sends:
        below = id(send.receivers) in broken
        _judge(send, wanted, made_good.get(id(send)), starts, broken_below=below)
    _say_once(sends)


def _judge(
    send: SendDraft,
    wanted: str,
    again: SendDraft | None,
    starts: _FailedStarts,
    *,
    broken_below: bool,
) -> None:
    if send.is_dead_letter:
        _judge_letter(send)
    elif again is not None:
        why = _short_error(send)
        note(send, f"{why}; sent again {again.at_ms - send.at_ms} ms later, and taken")
    elif send.waits_for_answer and broken_below:
        if send.entry.error:  # what broke is said there
            note(send, _short_error(send))
    elif send.entry.outcome == "error":
        if send.receivers and not send.waits_for_answer:
            note(send, "the service answered with an error, but it was received")
        else:
            _refused(send, starts)
    elif send.waits_for_answer:
        _judge_answer(send, starts)
    elif not send.receivers and not send.gap:
        _judge_unreceived(send, wanted, starts)


def _judge_unreceived(send: SendDraft, wanted: str, starts: _FailedStarts) -> None:
    entry = send.entry
    if not entry.carried:
        note(send, "it went out without its ids, so that no receiver can be joined to it")
    elif entry.id != wanted:
        note(send, f"it went out under the id {one_line(entry.id)}")
    elif entry.service not in _STORES:
        _not_received(send, starts)


def _refused(send: SendDraft, starts: _FailedStarts) -> None:
    entry = send.entry
    status = f" with status {entry.status}" if entry.status else ""
    error = f": {one_line(entry.error)}" if entry.error else ""
    if is_throttled(send):
        _break(send, "throttled", f", and was throttled{status}{error}")
    elif entry.service == "lambda" and not send.receivers and starts.for_send(send)[0]:
        _break(send, COULD_NOT_START, f", which could not start: {starts.for_send(send)[1]}")
    elif send.waits_for_answer and _LATE(entry.error):
        took = [
            f"{hop.function or 'a function'} took {hop.duration_ms:.0f} ms"
            for hop in send.receivers
            if hop.duration_ms is not None
        ]
        but = f" ({'; '.join(took)})" if took else ""
        _break(send, "no answer", f", and no answer came in time{but}{error}")
    else:
        _break(send, "send failed", f", and the send failed{status}{error}")


def is_throttled(send: SendDraft) -> bool:
    """Whether it was refused because there was too much."""
    return send.entry.status == 429 or _THROTTLED(send.entry.error) is not None


def _short_error(send: SendDraft) -> str:
    entry = send.entry
    if is_throttled(send):
        return "throttled"
    return one_line(entry.error, 80) or f"answered {entry.status}"


def _not_received(send: SendDraft, starts: _FailedStarts) -> None:
    entry = send.entry
    unanswered = " (the service did not answer either)" if entry.outcome == "pending" else ""
    send.awaited = True
    who, why = starts.for_send(send)
    if who and entry.service == "lambda":
        send.awaited = False
        _break(send, COULD_NOT_START, f", which could not start: {why}")
    elif who:
        may_be = f"; meanwhile {who} could not start: {why}"
        _break(send, "not received", f", and nobody received it{unanswered}{may_be}")
    elif entry.service == "sqs":
        _break(
            send,
            "still in a queue",
            f", and nobody received it{unanswered}: it is still in the queue, has expired, or was "
            "taken by something without clew",
        )
    else:
        _break(
            send,
            "not received",
            f", and nobody received it{unanswered}",
            _UNRECEIVED.get(entry.service, ""),
        )


_UNRECEIVED = {
    "sns": "Whether it has subscribers, and a filter policy kept it from them, no log says.",
    "eventbridge": "Whether a rule matches it, and has a target, no log says.",
    "kinesis": "Whether a mapping reads the stream, and how far it is, no log says.",
}


def _judge_letter(send: SendDraft) -> None:
    """Where a dead letter waits, nothing is missing: that its record was given up is said there."""
    entry = send.entry
    name = f"dead letter {one_line(entry.position['deadLetter'], 40)}"
    if entry.outcome != "error":
        note(send, name)
    elif send.hop is not None and send.hop.outcome == "dead-lettered":
        note(send, f"{name}, at first not taken: {one_line(entry.error)}")
    else:
        _break(send, "send failed", f", and the send failed: {one_line(entry.error)}")


def _judge_answer(send: SendDraft, starts: _FailedStarts) -> None:
    entry = send.entry
    if entry.outcome == "pending":
        _break(send, "no answer", ", and no answer came before its invocation ended")
    elif entry.status >= 500:
        _break(send, "send failed", f" and was answered {entry.status}")
    elif entry.error:
        who, why = starts.for_send(send) if not send.receivers else ("", "")
        if who:
            _break(send, COULD_NOT_START, f", which could not start: {why}")
        else:
            _break(send, "send failed", f", and {one_line(entry.error)}")


def _break(send: SendDraft, kind: str, what_then: str, unknown: str = "") -> None:
    entry = send.entry
    sentence = f"{sent_to(send.function, entry)} at {clock(entry.at_ms)}{what_then}"
    sentence = sentence if sentence.endswith(".") else f"{sentence}."
    number = send.hop.number if send.hop is not None else None
    send.broken = Break(
        kind, sentence, send.function, entry.target, entry.at_ms, unknown, number or None
    )


def _made_good(sends: list[SendDraft]) -> dict[int, SendDraft]:
    """The failed sends that their hop sent again, each with the one that was taken.

    No log says that two sends are of one message. It is believed where a hop, after its last
    failure towards a target, sent exactly as many there as had failed then, and all were taken: a
    hop that sends one after the other and loses one of them looks otherwise.
    """
    groups: dict[tuple[int, str, str, str], list[SendDraft]] = defaultdict(list)
    for send in sends:
        if send.hop is not None and not send.is_dead_letter:
            entry = send.entry
            groups[id(send.hop), entry.service, entry.operation, entry.target].append(send)
    found: dict[int, SendDraft] = {}
    for group in groups.values():
        failed = [send for send in group if _has_failed(send)]
        if not failed or len(failed) == len(group):
            continue
        last, lost = failed[-1].at_ms, 1
        taken = group[group.index(failed[-1]) + 1 :]
        if failed[-1].entry.operation in _BATCHES:  # of one call some fail, and others do not
            lost = sum(last - send.at_ms <= _SAME_CALL_MS for send in failed)
            taken = [send for send in taken if send.at_ms - last > _SAME_CALL_MS]
        if taken and len(taken) == lost and all(_was_taken(send) for send in taken):
            found.update((id(send), taken[0]) for send in failed)
    return found


def _say_once(sends: list[SendDraft]) -> None:
    """Let a hop that could not send to a target, time after time, have broken there once."""
    groups: dict[tuple[int, str, str, str, str], list[SendDraft]] = defaultdict(list)
    for send in sends:
        if send.hop is not None and send.broken is not None and send.entry.error:
            entry = send.entry
            key = id(send.hop), entry.service, entry.operation, entry.target, send.broken.kind
            groups[key].append(send)
    for *before, last in groups.values():
        if not before or last.broken is None:
            continue
        times = f"{len(before) + 1} times, the first at {clock(before[0].at_ms)}"
        said = last.broken.sentence.replace(", and ", f" ({times}), and ", 1)
        last.broken = replace(last.broken, sentence=said)
        for send in before:
            note(send, f"{_short_error(send)}, as was the last one there")
            send.broken = None


def _has_failed(send: SendDraft) -> bool:
    return send.entry.outcome == "error" or send.entry.status >= 500 or bool(send.entry.error)


def _was_taken(send: SendDraft) -> bool:
    return send.entry.outcome == "ok"


class _FailedStarts:
    """Functions that could not be loaded, by the time at which they said so."""

    def __init__(self, lines: Lines) -> None:
        self._found = failed_starts(lines)
        self._times = [at_ms for at_ms, _, _ in self._found]

    def for_send(self, send: SendDraft) -> tuple[str, str]:
        """(function, reason) of the one that may have been meant to receive it, or ("", "")."""
        first = bisect_left(self._times, send.at_ms - _SAME_CALL_MS)
        last = bisect_right(self._times, send.at_ms + _START_WITHIN_MS)
        called = short_target(send.entry.target).partition(":")[0]
        for _, group, why in self._found[first:last]:
            function = group.rpartition("/")[2]
            if send.entry.service != "lambda" or function == called:
                return function, why
        return "", ""
