"""Log lines are read to the end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clew.localcloud.logs import LogLine, NewLines, read_log_lines

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.local_cloud
def test_more_lines_than_one_page_are_all_read(cloud: LocalCloud) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/many")
    logs.create_log_stream(logGroupName="/many", logStreamName="one")
    start_ms = int(time.time() * 1000) - 60_000
    total = 0
    for _ in range(3):
        # Three lines to a millisecond, so that pages end in the middle of one.
        events = [
            {"timestamp": start_ms + (total + n) // 3, "message": str(total + n)}
            for n in range(8000)
        ]
        logs.put_log_events(logGroupName="/many", logStreamName="one", logEvents=events)
        total += len(events)
    lines = read_log_lines(logs, ["/many", "/never-written"], None)
    assert [line.message for line in lines] == [str(n) for n in range(total)]
    assert {line.log_group for line in lines} == {"/many"}


def _line(seconds: float, message: str, group: str = "a") -> LogLine:
    return LogLine(NOON + timedelta(seconds=seconds), group, "s", message)


def test_lines_seen_before_are_not_new() -> None:
    reader = NewLines(None)
    first = [_line(0, "x"), _line(0, "x"), _line(1, "y")]
    assert reader.among(first) == first
    assert reader.among(first) == []
    late = _line(0.5, "late", group="b")
    assert reader.among([*first, _line(0, "x"), late]) == [_line(0, "x"), late]


def test_the_next_reading_starts_a_little_earlier_than_the_last_line() -> None:
    reader = NewLines(NOON)
    reader.among([_line(1, "x")])
    assert reader.since == NOON
    reader.among([_line(60, "x")])
    assert reader.since == NOON + timedelta(seconds=55)
