"""Reads functions' log lines out of the emulator's CloudWatch Logs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# FilterLogEvents: "The maximum number of events to return. The default is 10,000 events."
_PAGE = 10_000

# Log groups are read one after the other, so a line of one may be older than one read before it.
_OVERLAP = timedelta(seconds=5)


class LogLine(NamedTuple):
    """One event of CloudWatch Logs."""

    timestamp: datetime  # in UTC
    log_group: str
    stream: str
    message: str


def read_log_lines(logs: Any, groups: Iterable[str], since: datetime | None) -> list[LogLine]:
    """Every line of these log groups from ``since`` (included), oldest first.

    Lines of one time keep the order in which they were written to their stream. A group that
    does not exist yet has no lines.

    Args:
        logs: A CloudWatch Logs client.
        groups: Names of log groups.
        since: An aware time, or None for everything.
    """
    start_ms = 0 if since is None else int(since.timestamp() * 1000)
    lines = [line for group in groups for line in _group_lines(logs, group, start_ms)]
    return sorted(lines, key=lambda line: line.timestamp)


def _group_lines(logs: Any, group: str, start_ms: int) -> Iterator[LogLine]:
    try:
        yield from (_line(group, event) for event in _events(logs, group, start_ms))
    except logs.exceptions.ResourceNotFoundException:
        return  # the function has not been invoked


def _events(logs: Any, group: str, start_ms: int) -> Iterator[dict[str, Any]]:
    request: dict[str, Any] = {"logGroupName": group, "startTime": start_ms, "limit": _PAGE}
    seen_at_start = 0
    while True:
        page = logs.filter_log_events(**request)
        events = page["events"]
        yield from events[seen_at_start:]
        seen_at_start = 0
        if "nextToken" in page:
            request["nextToken"] = page["nextToken"]
        elif len(events) < _PAGE:
            return
        else:
            # AWS gives a token with a full page; the emulator just stops there. So go on from
            # the last time seen, and pass over what was seen of it.
            last: int = events[-1]["timestamp"]
            if last == request["startTime"]:
                request["startTime"] = last + 1
            else:
                request["startTime"] = last
                seen_at_start = sum(event["timestamp"] == last for event in events)


def _line(group: str, event: dict[str, Any]) -> LogLine:
    timestamp = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return LogLine(timestamp, group, event["logStreamName"], event["message"])


class NewLines:
    """Tells the new lines from those already seen, when the same logs are read again and again."""

    def __init__(self, since: datetime | None) -> None:
        self.since = since  # where the next reading is to start
        self._seen: Counter[LogLine] = Counter()

    def among(self, lines: list[LogLine]) -> list[LogLine]:
        """Those of ``lines``, everything from :attr:`since`, that were not seen before."""
        now: Counter[LogLine] = Counter()
        new = []
        for line in lines:
            now[line] += 1
            if now[line] > self._seen[line]:
                new.append(line)
        self._seen = now
        if lines:
            overlap = lines[-1].timestamp - _OVERLAP
            self.since = max(self.since, overlap) if self.since else overlap
        return new
