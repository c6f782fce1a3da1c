"""Recorded log sets, and what a story says, without what differs from recording to recording."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.stories.lines import RawLine
from clew.stories.naming import target_name

if TYPE_CHECKING:
    from clew.stories.model import Hop, Send, Story

SETS = Path(__file__).with_name("sets")
NAMES = sorted(path.stem for path in SETS.glob("*.ndjson"))

_VARIES = (
    (re.compile(r"\d\d:\d\d:\d\d\.\d{3} UTC"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"-[0-9A-Fa-f]{13}\b"), ""),  # of names that CloudFormation made
    (re.compile(r"API [0-9a-z]{8,10}/"), "API ID/"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b\d+ (ms|s|MB|of \d+ MB)\b"), r"N \1"),
    (re.compile(r"\bline \d+"), "line N"),
)


def raw_lines(name: str) -> list[RawLine]:
    """The log events of a set, in the order in which it has them."""
    lines = []
    for text in (SETS / f"{name}.ndjson").read_text("utf-8").splitlines():
        one = json.loads(text)
        message = one["message"]
        if isinstance(message, dict):
            message = json.dumps(message, separators=(",", ":"))
        lines.append(RawLine(one["at"], one["group"], one["stream"], message))
    return lines


def expected(name: str) -> dict[str, Any]:
    """What the story of a set has to say, and whose it is (``id``)."""
    found: dict[str, Any] = json.loads((SETS / f"{name}.expected.json").read_text("utf-8"))
    return found


def plain(text: str) -> str:
    """``text`` without times, ids and generated names."""
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return text


def seen(story: Story) -> dict[str, Any]:
    """What a story says, in the shape of an ``expected.json``."""
    return {
        "breaks": [
            {"kind": one.kind, "function": one.function, **_sent(story, one.hop, one.target)}
            | {"sentence": plain(one.sentence)}
            | ({"unknown": one.unknown} if one.unknown else {})
            for one in story.breaks
        ],
        "gaps": [{"kind": one.kind, "sentence": plain(one.sentence)} for one in story.gaps],
        "notes": [plain(one) for one in story.notes],
        "tree": list(_tree(story)),
    }


def _sent(story: Story, number: int | None, target: str) -> dict[str, str]:
    """What was sent where, of a break that is a send's, or a hop's that was sent something."""
    for send in story.all_sends():
        if target and send.target == target and (number in send.received_by or send.broken):
            return {"service": send.service, "target": plain(_name(send))}
    return {}


def _name(send: Send) -> str:
    return target_name(send.service, send.operation, send.target)


def _tree(story: Story) -> list[str]:
    """A line for each hop, with what it answers, and for each send that nobody received."""
    via = {number: send for send in story.all_sends() for number in send.received_by}
    rows = []
    for hop in story.hops:
        send = via.get(hop.number)
        answers = f" <- {_name(send)}" if send is not None else ""
        rows.append("  " * hop.depth + plain(f"{_label(hop)}{answers}"))
        rows += [
            "  " * (hop.depth + 1) + plain(f"-> {_name(send)}: {_became(send)}")
            for send in hop.sends
            if not send.received_by
        ]
    return rows


def _label(hop: Hop) -> str:
    delivery = f" {hop.delivery}/{hop.deliveries}" if hop.deliveries > 1 else ""
    broken = f" BREAK {hop.broken.kind}" if hop.broken is not None else ""
    return f"{hop.function}{delivery} {hop.ending or hop.outcome}{broken}"


def _became(send: Send) -> str:
    return f"BREAK {send.broken.kind}" if send.broken is not None else (send.note or send.outcome)
