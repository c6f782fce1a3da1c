"""What CloudWatch Logs Insights is asked, how much it reads for that, and what it costs. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: US dollars for a GB that a query reads.
PRICE_PER_GB = 0.005
PRICE_SOURCE = (
    "https://aws.amazon.com/cloudwatch/pricing/, US East (N. Virginia), as public price lists of"
    " 2026 quote it"
)
PRICE_READ_ON = date(2026, 11, 25)
GB = 1024**3

#: StartQuery: "logGroupNames: the list of log groups to be queried. You can include up to 50".
MOST_GROUPS = 50
#: "CloudWatch Logs Insights query syntax", limit: 10,000 results at most.
MOST_RESULTS = 10_000
_FIELDS = "fields @timestamp, @message, @log, @logStream"
#: What stands for itself in a regular expression, whichever kind it is.
_PLAIN = re.compile(r"[A-Za-z0-9_:=@, -]", re.ASCII).fullmatch
_MAX_TEXT = 256
_DAY_S = 86_400


class Span(NamedTuple):
    """A time, in whole seconds since the epoch; both ends are in it."""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Group:
    """A log group, as far as it matters to a query."""

    name: str
    arn: str
    created_ms: int
    stored_bytes: int
    retention_days: int | None = None
    kind: str = "STANDARD"  # a query reads groups of one class

    def kept(self, span: Span, now_s: int) -> Span | None:
        """The part of a time from which it can have lines; None if it is before or after."""
        start = max(span.start_s, self.created_ms // 1000)
        if self.retention_days is not None:
            start = max(start, now_s - self.retention_days * _DAY_S)
        return Span(start, span.end_s) if start <= span.end_s else None

    def bytes_of(self, span: Span, now_s: int) -> int:
        """About how much of it is of that time, if its lines came evenly."""
        oldest = self.created_ms / 1000
        if self.retention_days is not None:
            oldest = max(oldest, now_s - self.retention_days * _DAY_S)
        life = max(now_s + 1 - oldest, 0.001)
        share = (min(span.end_s, now_s) + 1 - max(span.start_s, oldest)) / life
        return round(self.stored_bytes * min(max(share, 0), 1))


@dataclass(frozen=True, slots=True)
class Job:
    """One query: some log groups, in one time."""

    groups: tuple[Group, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Plan:
    """The queries that answer a question, and what they are expected to read."""

    jobs: tuple[Job, ...] = ()
    bytes: int = 0
    groups: int = 0

    @property
    def dollars(self) -> float:
        """What it is expected to cost."""
        return dollars(self.bytes)


@dataclass(frozen=True, slots=True)
class Covered:
    """A time for which an answer is known, and when it was asked for."""

    span: Span
    asked_s: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an answer is good for, in seconds."""

    #: So long, what has come meanwhile is not asked for.
    fresh_s: int = 300
    #: Lines may come so late; what was younger when it was asked for is asked for again.
    settle_s: int = 120

    def known(self, one: Covered, now_s: int) -> Span:
        """What an answer still tells."""
        if one.span.end_s >= one.asked_s - 1 and now_s - one.asked_s < self.fresh_s:
            return Span(one.span.start_s, now_s)
        return Span(one.span.start_s, min(one.span.end_s, one.asked_s - self.settle_s))


@dataclass(frozen=True, slots=True)
class Limits:
    """What AWS allows, as it is now."""

    groups: int = MOST_GROUPS
    results: int = MOST_RESULTS
    #: Queries at once. AWS allows 30 of an account and region (5 of groups for infrequent
    #: access), which others want to use too ("CloudWatch Logs quotas").
    at_once: int = 5
    timeout_s: float = 15 * 60
    freshness: Freshness = field(default_factory=Freshness)


def dollars(count: int) -> float:
    """The price of reading so many bytes."""
    return count / GB * PRICE_PER_GB


def plan(
    groups: Iterable[Group],
    span: Span,
    now_s: int,
    known: Mapping[str, Sequence[Covered]] | None = None,
    limits: Limits | None = None,
) -> Plan:
    """The fewest queries for what is not known yet of a time in these log groups.

    Args:
        groups: The log groups.
        span: The time.
        now_s: Seconds since the epoch.
        known: By the ARN of a group, what was asked for before.
        limits: What AWS allows.
    """
    limits = limits or Limits()
    open_: defaultdict[tuple[str, Span], list[Group]] = defaultdict(list)
    total, asked = 0, set()
    for group in groups:
        kept = group.kept(span, now_s)
        if kept is None:
            continue
        answers = (known or {}).get(group.arn, ())
        spans = [limits.freshness.known(one, now_s) for one in answers]
        for each in uncovered(kept, spans):
            # Where nothing is known, groups of one time go together, though some are younger.
            whole = span if each == kept and not answers else each
            open_[group.kind, whole].append(group)
            total += group.bytes_of(each, now_s)
            asked.add(group.arn)
    jobs = [
        Job(tuple(some[at : at + limits.groups]), each)
        for (_, each), some in open_.items()
        for at in range(0, len(some), limits.groups)
    ]
    return Plan(tuple(jobs), total, len(asked))


def uncovered(span: Span, known: Iterable[Span]) -> list[Span]:
    """What of a time is in none of the others."""
    open_ = [span]
    for one in known:
        if one.start_s > one.end_s:
            continue
        open_ = [
            part
            for each in open_
            for part in (
                Span(each.start_s, min(each.end_s, one.start_s - 1)),
                Span(max(each.start_s, one.end_s + 1), each.end_s),
            )
            if part.start_s <= part.end_s
        ]
    return sorted(set(open_))


def pattern(texts: Sequence[str], *, any_case: bool) -> str:
    """A regular expression that finds every line with one of the texts in it, and maybe more.

    Whatever could be syntax, or could be written in another way in JSON, is any characters.
    """
    if not texts:
        return ""
    said = "|".join(dict.fromkeys(map(_pattern_of, texts)))
    return f"(?i)({said})" if any_case else f"({said})"


def _pattern_of(text: str) -> str:
    said = "".join(
        each if _PLAIN(each) else "[.]" if each == "." else "\0" for each in text[:_MAX_TEXT]
    )
    return re.sub("\0+", ".*", said)


def word_pattern(word: str) -> str:
    """A regular expression for a word, in whatever case; with a ``*``, for its beginning."""
    plain = word.removesuffix("*")
    if not plain.isascii():
        return pattern([plain], any_case=True)
    # Not every kind of regular expression knows word boundaries, or means the same by it.
    end = "" if word.endswith("*") else "([^A-Za-z0-9]|$)"
    return f"(?i)(^|[^A-Za-z0-9]){_pattern_of(plain)}{end}"


def query(regex: str, limit: int, after_ms: int | None = None, *, newest: bool = False) -> str:
    """The query for lines that match, oldest or newest first; from a time on, if one is given."""
    stages = [_FIELDS]
    if regex:
        stages.append(f"filter @message like /{regex}/")
    if after_ms is not None:
        stages.append(f"filter toMillis(@timestamp) >= {after_ms}")
    order = "desc" if newest else "asc"
    return " | ".join((*stages, f"sort @timestamp {order}", f"limit {limit}"))


def at_ms(timestamp: str) -> int:
    """``2026-01-02 03:04:05.678``, as Insights says a time, in milliseconds since the epoch."""
    at = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
