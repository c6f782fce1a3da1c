"""Where a request went through something that logged nothing of it. Pure.

Two things tell: a hop whose sender nobody logged, and a hop that came another way than its sender
sent it. What came between has no clew, or its log group is missing or may not be read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from clew.stories.drafts import note
from clew.stories.model import Gap
from clew.stories.naming import clock, listed, sent_to, source_name

if TYPE_CHECKING:
    from clew.stories.drafts import HopDraft, SendDraft

#: What brings the events of a source without a function in between, where it is not HTTP.
CARRIERS = {
    "aws:dynamodb": ("dynamodb",),
    "aws:events": ("eventbridge", "s3", "dynamodb"),
    "aws:firehose": ("firehose", "kinesis"),
    "aws:kinesis": ("kinesis", "dynamodb", "eventbridge"),
    "aws:lambda": ("lambda", "stepfunctions", "eventbridge"),
    "aws:s3": ("s3",),
    "aws:sns": ("sns", "s3", "eventbridge"),
    "aws:sqs": ("sqs", "sns", "eventbridge", "s3"),
    "aws:states": ("stepfunctions", "lambda"),
}
#: Clocks differ, and what is sent is stamped before it is.
_TOLERANCE_MS = 1000
#: With so many sends of one length of chain that nobody received, there is doubt.
_MAX_OPEN = 50


def find_gaps(hops: list[HopDraft], sends: list[SendDraft]) -> list[Gap]:
    """The gaps of a story; sends that went into one are marked as such."""
    return [*_passed_on(hops), *_orphans(hops, sends), *_without_clew(hops, sends)]


def fits(hop: HopDraft, send: SendDraft) -> bool:
    """Whether what was sent so comes as the hop's event came."""
    return send.entry.service in CARRIERS.get(hop.source, ("http",))


def _passed_on(hops: list[HopDraft]) -> list[Gap]:
    gaps = []
    for hop in hops:
        via = hop.via
        if via is None or hop.source not in CARRIERS or fits(hop, via) or via.is_dead_letter:
            continue
        if hop.origin is not None:
            continue  # through its destination, or its dead-letter queue
        note(hop, "passed on by something without clew")
        sentence = (
            f"What {sent_to(via.function, via.entry)} came to {hop.function or 'a function'} by "
            f"{source_name(hop.source)} at {clock(hop.at_ms)}: something in between passed it on, "
            "and has no clew or is not in the logs."
        )
        gaps.append(Gap("passed on", sentence, hop.function, hop.at_ms, (hop.number,)))
    return gaps


def _orphans(hops: list[HopDraft], sends: list[SendDraft]) -> list[Gap]:
    of_sender: dict[str, list[HopDraft]] = defaultdict(list)
    for hop in hops:
        # At the edge somebody with a trace of its own called, who logs elsewhere.
        inside = hop.chain > 1 or (not hop.chain and hop.source in CARRIERS)
        if hop.via is None and hop.parent and inside:
            of_sender[hop.parent].append(hop)
    if not of_sender:
        return []
    open_ends: dict[int, list[SendDraft]] = defaultdict(list)  # by the chain of their hop
    for send in sends:
        refused = send.entry.outcome == "error"
        if send.hop is not None and not (send.receivers or refused or send.is_dead_letter):
            open_ends[send.hop.chain].append(send)
    reason = "What sent it has no clew, or its log group is missing or cannot be read"
    if any(hop.invocation is not None and not hop.invocation.complete for hop in hops):
        reason += "; or it is told in the part of an invocation line that is missing"
    gaps = []
    for group in of_sender.values():
        first = min(group, key=lambda hop: hop.at_ms)
        names = listed([hop.function or "a function" for hop in group])
        sentence = f"What {names} received was sent by something that is not in the logs"
        begun = _only_beginning(first, open_ends)
        if begun is not None:
            begun.gap = True
            sentence += (
                ". By the length of the call chain that is what was called when "
                f"{sent_to(begun.function, begun.entry)} at {clock(begun.at_ms)}"
            )
            note(begun, f"who received it is not in the logs; what it sent is: hop {first.number}")
        sentence += f". {reason}."
        numbers = tuple(hop.number for hop in group)
        gaps.append(Gap("sender not in the logs", sentence, first.function, first.at_ms, numbers))
    return gaps


def _without_clew(hops: list[HopDraft], sends: list[SendDraft]) -> list[Gap]:
    """Functions of which no more is known than that they logged the id."""
    known = {hop.log_group for hop in hops if hop.span}
    bare: dict[str, list[HopDraft]] = defaultdict(list)
    for hop in hops:
        if not hop.span and not hop.parent and hop.log_group not in known:
            bare[hop.log_group].append(hop)
    open_ends = [
        send
        for send in sends
        if not (send.receivers or send.gap or send.entry.outcome == "error" or send.is_dead_letter)
    ]
    gaps = []
    for own in bare.values():
        first = min(own, key=lambda hop: hop.at_ms)
        # Sends are in the order of time: of the first two, the second says whether there is doubt.
        before = [send for send in open_ends[:2] if send.at_ms <= first.at_ms + _TOLERANCE_MS]
        who = first.function or "a function"
        sentence = f"{who} has no clew: all that is known of it is that it logged the id"
        if len(before) == 1 and not before[0].gap:
            (send,) = before
            send.gap = True
            later = max(first.at_ms - send.at_ms, 0)
            what = sent_to(send.function, send.entry)
            sentence += f", {later} ms after {what}, which nobody else received"
            note(send, f"it may be what {who} logged the id for: hop {first.number}")
        numbers = tuple(hop.number for hop in own)
        gaps.append(Gap("no clew", f"{sentence}.", first.function, first.at_ms, numbers))
    return gaps


def _only_beginning(hop: HopDraft, open_ends: dict[int, list[SendDraft]]) -> SendDraft | None:
    """The send that whoever called the hop received, if there is no doubt."""
    of_chain = open_ends.get(hop.chain - 2, []) if hop.chain > 2 else []
    before = [send for send in of_chain[:_MAX_OPEN] if send.at_ms <= hop.at_ms + _TOLERANCE_MS]
    return before[0] if len(before) == 1 else None
