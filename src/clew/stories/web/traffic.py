"""What the functions did lately, out of their invocation lines: counts, times, who called whom.

Pure. Edges are drawn from what was really sent and received, joined by the spans of the sends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.stories.naming import short_target, source_name, target_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.stories.lines import Invocation, ReceivedEntry, SentEntry, TextLine

    _Carriers = dict[str, tuple[str, str]]
    _Received = dict[str, list[tuple[Invocation, ReceivedEntry]]]

FUNCTION, CARRIER, EDGE = "function", "carrier", "edge"
#: More are put together as one, so that the map stays one.
MAX_CARRIERS = 60
_BAD = frozenset(("failed", "skipped", "dead-lettered", "timeout"))
_REPORT = re.compile(
    r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms.*?Memory Size: (\d+) MB\s+"
    r"Max Memory Used: (\d+) MB(?:\s+Init Duration: ([\d.]+) ms)?",
    re.ASCII | re.DOTALL,
).match


@dataclass(slots=True)
class Told:
    """What is known of one function."""

    name: str
    invocations: int = 0
    errors: int = 0
    cold_starts: int = 0
    records: int = 0
    lost: int = 0  # records that failed, were skipped or dead-lettered
    durations: list[float] = field(default_factory=list)
    init_ms: list[float] = field(default_factory=list)
    memory_mb: int = 0
    used_mb: int = 0
    last_ms: int = 0
    sources: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def p50(self) -> float | None:
        """Half of its invocations took no longer (ms)."""
        return quantile(self.durations, 0.5)

    @property
    def p99(self) -> float | None:
        """99 of 100 took no longer (ms)."""
        return quantile(self.durations, 0.99)

    @property
    def failed(self) -> float:
        """The part of its invocations that failed."""
        return self.errors / self.invocations if self.invocations else 0.0

    @property
    def headroom(self) -> float | None:
        """The part of its memory that it never used, as far as Lambda told."""
        return 1 - self.used_mb / self.memory_mb if self.memory_mb and self.used_mb else None

    @property
    def source_names(self) -> list[str]:
        """Where its events came from, most first."""
        ordered = sorted(self.sources, key=lambda one: -self.sources[one])
        return [source_name(one) for one in ordered if one and one != "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """Traffic from one node of the map to another."""

    start: str  # keys of nodes
    end: str
    count: int
    errors: int
    p50: float | None  # ms from the send to the start of what received it


@dataclass(frozen=True, slots=True)
class Node:
    """A function, what carries its messages, or where requests come in."""

    key: str
    kind: str
    name: str
    count: int
    errors: int
    p50: float | None = None
    told: Told | None = None
    kin: str = ""  # "SNS topic"


@dataclass(frozen=True, slots=True)
class Traffic:
    """All of it."""

    functions: tuple[Told, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    first_ms: int
    last_ms: int


def quantile(values: Sequence[float], part: float) -> float | None:
    """The value that so much of them does not pass; None where there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def traffic(invocations: Sequence[Invocation], reports: Iterable[TextLine] = ()) -> Traffic:
    """What these lines tell."""
    functions = _functions(invocations)
    _add_reports(functions, reports)
    nodes, links = _graph(invocations, functions)
    times = [one.started_ms for one in invocations]
    ordered = sorted(functions.values(), key=lambda one: (-one.errors, -one.invocations, one.name))
    return Traffic(
        tuple(ordered), tuple(nodes), tuple(links), min(times, default=0), max(times, default=0)
    )


def _functions(invocations: Iterable[Invocation]) -> dict[str, Told]:
    functions: dict[str, Told] = {}
    for one in invocations:
        name = one.line.function
        told = functions.get(name)
        if told is None:
            told = functions[name] = Told(name)
        told.records += len(one.received)
        told.lost += sum(entry.outcome in _BAD for entry in one.received)
        if 1 not in one.chunks:
            continue  # the rest of an invocation that is counted by its first chunk
        told.invocations += 1
        told.errors += one.outcome in ("error", "timeout")
        told.cold_starts += one.line.cold_start
        told.sources[one.source] += 1
        told.last_ms = max(told.last_ms, one.started_ms)
        if one.duration_ms is not None:
            told.durations.append(one.duration_ms)
    return functions


def _add_reports(functions: dict[str, Told], reports: Iterable[TextLine]) -> None:
    for report in reports:
        found = _REPORT(report.message)
        told = functions.get(report.log_group.rpartition("/")[2])
        if not found or told is None:
            continue
        told.memory_mb = max(told.memory_mb, int(found[3]))
        told.used_mb = max(told.used_mb, int(found[4]))
        if found[5]:
            told.init_ms.append(float(found[5]))


class _Sum:
    """What goes along one link."""

    __slots__ = ("count", "errors", "waits")

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.waits: list[float] = []

    def add(self, *, bad: bool, wait_ms: float | None = None) -> None:
        self.count += 1
        self.errors += bad
        if wait_ms is not None:
            self.waits.append(wait_ms)


def _graph(
    invocations: Sequence[Invocation], functions: dict[str, Told]
) -> tuple[list[Node], list[Link]]:
    received: _Received = defaultdict(list)
    for one in invocations:
        for entry in one.received:
            if entry.parent:
                received[entry.parent].append((one, entry))
    sums: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    carriers: _Carriers = {}
    joined: set[int] = set()
    for one in invocations:
        start = _key(FUNCTION, one.line.function)
        for sent in one.sent:
            below = received.get(sent.span, []) if sent.span else []
            joined.update(id(entry) for _, entry in below)
            _add_send(start, sent, below, sums, carriers)
    edges = _from_outside(invocations, joined, sums)
    nodes = [
        Node(
            _key(FUNCTION, told.name), FUNCTION, told.name, told.invocations, told.errors,
            told.p50, told,
        )
        for told in functions.values()
    ]  # fmt: skip
    for key, (kin, name) in {**carriers, **edges}.items():
        into = [one for (_, end), one in sums.items() if end == key] or [
            one for (start, _), one in sums.items() if start == key
        ]
        kind = EDGE if key in edges else CARRIER
        count, errors = sum(one.count for one in into), sum(one.errors for one in into)
        nodes.append(Node(key, kind, name, count, errors, kin=kin))
    links = [
        Link(start, end, one.count, one.errors, quantile(one.waits, 0.5))
        for (start, end), one in sums.items()
    ]
    return nodes, links


def _add_send(
    start: str,
    sent: SentEntry,
    below: list[tuple[Invocation, ReceivedEntry]],
    sums: dict[tuple[str, str], _Sum],
    carriers: _Carriers,
) -> None:
    """A send, by way of what carried it, or straight to who answered."""
    bad = sent.outcome == "error" or sent.status >= 500
    by_way = start
    direct = sent.service in ("http", "lambda") and below
    if not direct:
        by_way = _carrier(carriers, *_named(sent))
        sums[start, by_way].add(bad=bad)
    for other, entry in below:
        end = _key(FUNCTION, other.line.function)
        failed = entry.outcome in _BAD or (bad and bool(direct))
        sums[by_way, end].add(bad=failed, wait_ms=max(other.started_ms - sent.at_ms, 0))


def _from_outside(
    invocations: Iterable[Invocation], joined: set[int], sums: dict[tuple[str, str], _Sum]
) -> _Carriers:
    """What came without a send that is known: from API Gateway, a schedule, somebody without clew.

    Of what has a parent, the send is in lines that are older or missing; it is no edge.
    """
    edges: _Carriers = {}
    for one in invocations:
        for entry in one.received:
            if id(entry) in joined or entry.parent:
                continue
            name = source_name(one.source) or "unknown source"
            key = _key(EDGE, name)
            edges[key] = "", name
            end = _key(FUNCTION, one.line.function)
            sums[key, end].add(bad=entry.outcome in _BAD)
    return edges


def _named(sent: SentEntry) -> tuple[str, str]:
    """What carried it: its kind and its name; of HTTP the host, of S3 the bucket."""
    if sent.service == "http":
        return "HTTP", short_target(sent.target).partition("/")[0]
    of_queue = sent.service == "sqs" and "://" in sent.target
    name = short_target(sent.target.rpartition("/")[2] if of_queue else sent.target)
    kin = target_name(sent.service, sent.operation, sent.target).removesuffix(name).strip()
    if sent.service == "s3":
        return "S3 bucket", name.partition("/")[0]
    return kin, name


def _carrier(carriers: _Carriers, kin: str, name: str) -> str:
    key = _key(CARRIER, f"{kin} {name}")
    if key not in carriers and len(carriers) >= MAX_CARRIERS:
        key, kin, name = _key(CARRIER, "others"), "", "others"
    carriers[key] = kin, name
    return key


def _key(kind: str, name: str) -> str:
    return f"{kind}:{name}"
