"""Two stories side by side: where do they part? Pure.

The trees are laid on each other: a hop on a hop of the same function, a send on a send to the same
target, the first on the first and so on. What ids a path holds does not make it another target.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from clew.stories.model import Hop, Send
from clew.stories.naming import in_a_sentence, one_line, target_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.stories.model import Story

_Node: TypeAlias = "Hop | Send"

#: What in a path or a key is of one request: numbers, uuids, long hexadecimal.
_OWN_ID = re.compile(
    r"(?<=[/=-])(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,})(?![^\W_])",
    re.IGNORECASE,
)
#: What in a message is, or may be.
_NUMBERED = re.compile(r"[\w-]*\d[\w-]*")
_GOOD = ("done", "unknown")
_LOUD = ("ERROR", "CRITICAL")
#: Of what is in one tree only: it follows from the failure above it, or is said above it already.
_FOLLOWS, _SAID = "follows", "said"
#: A hop that takes so many times as long, and so much longer, is worth a word.
_SLOWER, _SLOWER_MS = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Row:
    """A place in both trees, or in one of them."""

    depth: int
    name: str
    first: Hop | Send | None
    second: Hop | Send | None
    #: In what they differ here, in plain words; "" if in nothing.
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stories laid on each other."""

    first: Story
    second: Story
    rows: tuple[Row, ...]
    #: Where they part, in a sentence; "" where they do not.
    parting: str
    #: The hops that took much longer in one of them, the greatest difference first.
    slower: tuple[str, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        """Every difference, in the order of the trees."""
        return tuple(row.difference for row in self.rows if row.difference)


@dataclass(slots=True)
class _Difference:
    at_ms: float  # after the story began
    follows: bool  # whether it only follows from the hop above it, which failed
    depth: int
    sentence: str


def compare(first: Story, second: Story) -> Comparison:
    """Lay two stories on each other. Of a good and a bad one, put the good one first."""
    rows: list[Row] = []
    found: list[_Difference] = []
    # A message that was sent twice was received by the same hops, which are shown once.
    seen: tuple[set[int], set[int]] = (set(), set())
    # Not by recursion: a chain may have thousands of hops.
    stack = list(reversed(_tops(first, second, found)))
    while stack:
        row, how = stack.pop()
        said = None if how == _SAID else _said(row, first, second, follows=how == _FOLLOWS)
        if said is not None:
            found.append(said)
        rows.append(Row(row.depth, row.name, row.first, row.second, said.sentence if said else ""))
        if row.first is not None or row.second is not None:
            stack += reversed(_below(row, first, second, seen))
    causes = [one for one in found if not one.follows] or found
    parting = min(causes, key=lambda one: (one.at_ms, -one.depth)).sentence if causes else ""
    return Comparison(first, second, tuple(rows), parting, _slower(rows))


def comparison_json(compared: Comparison) -> dict[str, Any]:
    """A comparison as what JSON can hold."""
    return {
        "first": _story(compared.first),
        "second": _story(compared.second),
        "parting": compared.parting or None,
        "slower": list(compared.slower),
        "rows": [
            {
                "depth": row.depth,
                "name": row.name,
                "first": _node(row.first, compared.first),
                "second": _node(row.second, compared.second),
                "difference": row.difference or None,
            }
            for row in compared.rows
        ],
    }


def _story(story: Story) -> dict[str, Any]:
    return {"id": story.id, "duration_ms": story.duration_ms, "breaks": len(story.breaks)}


def _node(node: _Node | None, story: Story) -> dict[str, Any] | None:
    if node is None:
        return None
    facts: dict[str, Any] = {"offset_ms": node.at_ms - story.at_ms, "outcome": node.outcome}
    if isinstance(node, Hop):
        return facts | {"hop": node.number, "duration_ms": node.duration_ms}
    return facts | {"status": node.status or None, "received_by": list(node.received_by)}


def _tops(first: Story, second: Story, found: list[_Difference]) -> list[tuple[Row, str]]:
    pairs = _paired(_top_nodes(first), _top_nodes(second))
    heads = [next((pair[side] for pair in pairs if pair[side]), None) for side in (0, 1)]
    one, other = heads
    if isinstance(one, Hop) and isinstance(other, Hop) and one.function != other.function:
        sentence = f"The first began at {one.function}, the second at {other.function}."
        found.append(_Difference(-1, False, 0, sentence))
    return [(Row(0, _name(left or right), left, right), "") for left, right in pairs]


def _top_nodes(story: Story) -> list[_Node]:
    nodes: list[_Node] = [hop for hop in story.hops if not hop.joined]
    nodes += story.sends
    return sorted(nodes, key=lambda node: node.at_ms)


def _below(
    row: Row, first: Story, second: Story, seen: tuple[set[int], set[int]]
) -> list[tuple[Row, str]]:
    """The rows below one, and whether a difference there is one of its own."""
    one, other = row.first, row.second
    how = ""
    if one is None or other is None:
        how = _SAID  # that all of it is in one of them only
    elif isinstance(one, Send) and isinstance(other, Send):
        how = _SAID if bool(one.broken) != bool(other.broken) else ""
    elif isinstance(one, Hop) and isinstance(other, Hop):
        how = _FOLLOWS if (one.outcome in _GOOD) != (other.outcome in _GOOD) else ""
    return [
        (Row(row.depth + 1, _name(left or right), left, right), "" if left and right else how)
        for left, right in _paired(
            _children(one, first, seen[0]), _children(other, second, seen[1])
        )
    ]


def _children(node: _Node | None, story: Story, seen: set[int]) -> Sequence[_Node]:
    if isinstance(node, Hop):
        return node.sends
    if node is None:
        return ()
    hops = [story.hop(number) for number in node.received_by if number not in seen]
    # Of deliveries of the same send, the last counts.
    below = [hop for hop in hops if hop.joined and hop.delivery == hop.deliveries]
    seen.update(hop.number for hop in below)
    return below


def _paired(
    left: Sequence[_Node], right: Sequence[_Node]
) -> list[tuple[_Node | None, _Node | None]]:
    """The n-th of a name with the n-th of that name, in the order of the left and of the right."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place in range(len(right) - 1, -1, -1):
        places[_key(right[place])].append(place)
    matched = [places[_key(node)].pop() if places[_key(node)] else -1 for node in left]
    unmatched = deque(sorted(place for each in places.values() for place in each))
    pairs: list[tuple[_Node | None, _Node | None]] = []
    for node, place in zip(left, matched, strict=True):
        while unmatched and unmatched[0] < place:
            pairs.append((None, right[unmatched.popleft()]))
        pairs.append((node, right[place] if place >= 0 else None))
    return [*pairs, *((None, right[place]) for place in unmatched)]


def _key(node: _Node) -> str:
    if isinstance(node, Hop):
        return f"hop {node.function}"
    return f"send {_name(node)}"


def _name(node: _Node | None) -> str:
    """What a row is called; the same in both stories."""
    if isinstance(node, Hop):
        return node.function or "a function"
    if node is None:
        return ""
    return _OWN_ID.sub("*", target_name(node.service, node.operation, node.target))


def _said(row: Row, first: Story, second: Story, *, follows: bool) -> _Difference | None:
    """In what a row differs."""
    one, other = row.first, row.second
    if one is None or other is None:
        node, story = (other, second) if one is None else (one, first)
        if node is None:
            return None
        sentence = _only_one(node, row, is_first=one is not None, story=story)
        return _Difference(_offset(node, story), follows, row.depth, sentence)
    if isinstance(one, Hop) and isinstance(other, Hop):
        sentence = _hops(one, other)
        end = _offset(other, second) + (other.duration_ms or 0)
        return _Difference(end, follows, row.depth, sentence) if sentence else None
    if isinstance(one, Send) and isinstance(other, Send):
        sentence = _sends(one, other, row.name)
        # An answer is as late as what it answers for, so that the cause is told and not the effect.
        ends = [
            _offset(hop, second) + (hop.duration_ms or 0)
            for hop in (second.hop(number) for number in other.received_by)
        ]
        end = max([_offset(other, second), *ends])
        return _Difference(end, follows, row.depth, sentence) if sentence else None
    return None


def _only_one(node: _Node, row: Row, *, is_first: bool, story: Story) -> str:
    here, there = ("first", "second") if is_first else ("second", "first")
    if isinstance(node, Hop):
        sender = f" what {story.hop(node.above).function} sent it" if node.above else ""
        if sender:
            return f"In the {here}, {row.name} received{sender}; in the {there} it did not."
        return f"Only in the {here}, {row.name} was called."
    return f"Only in the {here}, {node.function} {_did(node)}."


def _hops(one: Hop, other: Hop) -> str:
    if one.outcome != other.outcome:
        return f"In the first, {one.function} {_became(one)}; in the second it {_became(other)}."
    loud = _loud(other) - _loud(one)
    if loud:
        return f"Only in the second, {one.function} logged {_quoted(other, loud)}."
    loud = _loud(one) - _loud(other)
    if loud:
        return f"Only in the first, {one.function} logged {_quoted(one, loud)}."
    if one.deliveries != other.deliveries:
        return (
            f"{one.function} took {_times(one.deliveries)} in the first and"
            f" {_times(other.deliveries)} in the second."
        )
    return ""


def _sends(one: Send, other: Send, name: str) -> str:
    if (one.outcome, one.status) != (other.outcome, other.status):
        return f"{name} {_answered(one)} in the first and {_answered(other)} in the second."
    if bool(one.broken) != bool(other.broken):
        good, bad = ("first", "second") if other.broken else ("second", "first")
        broken = other.broken or one.broken
        if broken is not None and broken.kind in ("not received", "still in a queue"):
            return f"What {one.function} {_did(one)} was received in the {good}, not in the {bad}."
        return f"What {one.function} {_did(one)} broke in the {bad}, and not in the {good}."
    return ""


def _did(send: Send) -> str:
    """``sent to the SNS topic orders``, ``requested GET example.com/b``."""
    name = _OWN_ID.sub("*", in_a_sentence(send.service, send.operation, send.target))
    return f"requested {name}" if send.service == "http" else f"sent to {name}"


_BECAME = {
    "done": "was done",
    "failed": "failed",
    "skipped": "gave up the record and skipped it",
    "dead-lettered": "gave up the record to its dead-letter queue",
    "returned": "returned the record",
    "pending": "was never reached",
    "unfinished": "did not come to its end",
    "unknown": "logged no end",
}
#: The same, where its break says more.
_BROKE = {
    "timed out": "ran out of time",
    "out of memory": "ran out of memory",
    "crashed": "crashed",
    "could not start": "could not start",
    "loop stopped": "was stopped in a loop",
}


def _became(hop: Hop) -> str:
    thrown = hop.exception
    why = hop.error or (f"{thrown.type}: {thrown.message}" if thrown else "")
    said = _BECAME.get(hop.outcome, hop.outcome)
    if hop.broken is not None:
        said = _BROKE.get(hop.broken.kind, said)
    return f"{said} ({one_line(why)})" if why and hop.outcome not in _GOOD else said


def _answered(send: Send) -> str:
    if send.status:
        return f"answered {send.status}"
    if send.outcome == "ok":
        return "took it"
    if send.outcome == "pending":
        return "gave no answer"
    return f"refused it ({one_line(send.error)})" if send.error else "refused it"


def _times(deliveries: int) -> str:
    return "one delivery" if deliveries == 1 else f"{deliveries} deliveries"


def _loud(hop: Hop) -> set[str]:
    """What it logged as an error, without what is of one request."""
    return {_NUMBERED.sub("*", line.message) for line in hop.lines if line.level in _LOUD}


def _quoted(hop: Hop, loud: set[str]) -> str:
    line = next(
        line
        for line in hop.lines
        if line.level in _LOUD and _NUMBERED.sub("*", line.message) in loud
    )
    return f"an {line.level}: {one_line(line.message)}".replace("an CRITICAL", "a CRITICAL")


def _offset(node: _Node, story: Story) -> int:
    return node.at_ms - story.at_ms


def _slower(rows: list[Row]) -> tuple[str, ...]:
    found: list[tuple[float, str]] = []
    for row in rows:
        if not isinstance(row.first, Hop) or not isinstance(row.second, Hop):
            continue
        one, other = row.first.duration_ms, row.second.duration_ms
        if one is None or other is None:
            continue
        more = abs(other - one)
        if more >= _SLOWER_MS and max(one, other) >= _SLOWER * min(one, other):
            cold = row.second if other > one else row.first
            start = ", a cold start" if cold.cold_start else ""
            said = f"{row.name} took {one:,.0f} ms in the first and {other:,.0f} ms in the second"
            found.append((more, f"{said}{start}."))
    return tuple(said for _, said in sorted(found, key=lambda one: -one[0]))
