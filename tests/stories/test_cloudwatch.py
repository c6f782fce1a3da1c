"""Lines are read out of the emulator's CloudWatch Logs, whatever the text to look for is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from clew.errors import ClewError
from clew.stories import find_story
from clew.stories.cloudwatch import CloudWatchSource

from .runtime import Run

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from clew.stories.lines import RawLine

pytestmark = pytest.mark.local_cloud


def write(cloud: LocalCloud, group: str, messages: list[str], age_s: float = 1) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    at_ms = int((time.time() - age_s) * 1000)
    events = [{"timestamp": at_ms, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def messages(lines: Any) -> list[str]:
    found: list[RawLine] = list(lines)
    return [line.message for line in found]


def test_lines_are_found_by_what_stands_in_them(cloud: LocalCloud) -> None:
    write(cloud, "/found/a", ['{"id":"abc-1"}', '{"id":"abc-2"}', "other"])
    write(cloud, "/found/b", ['{"id":"abc-1","old":1}'], age_s=3600)
    source = CloudWatchSource(cloud.client("logs"), "a test", prefix="/found/")
    assert messages(source.lines("abc-1")) == ['{"id":"abc-1"}', '{"id":"abc-1","old":1}']
    assert source.name == "2 log groups of a test"
    hour = datetime.now(UTC) - timedelta(minutes=30)
    assert messages(source.lines("abc-1", since=hour)) == ['{"id":"abc-1"}']
    assert messages(source.lines("abc-1", until=hour)) == ['{"id":"abc-1","old":1}']
    assert len(messages(source.lines(None))) == 4
    nobody = CloudWatchSource(cloud.client("logs"), "a test", prefix="/not-there/")
    assert messages(nobody.lines("abc-1")) == []


@pytest.mark.parametrize("number", range(7))
def test_what_a_pattern_would_take_for_more_than_text_is_found_all_the_same(
    cloud: LocalCloud, number: int
) -> None:
    hostile = ['a"b', "a -b", "{ $.x = 1 }", "[x]*?", "%a%", "?a ?b", "grün"][number]
    run = Run("f")
    run.receive(hostile)
    other = Run("f")
    other.receive("other")
    name = f"/hostile-{number}/f"
    write(cloud, name, [line.message for line in (*run.end(), *other.end())])
    source = CloudWatchSource(cloud.client("logs"), prefix=name)
    assert len(find_story(source, hostile).hops) == 1


def test_more_lines_than_one_page_are_all_read(cloud: LocalCloud) -> None:
    group = "/pages/f"
    write(cloud, group, ["other"])
    logs = cloud.client("logs")
    at_ms = int(time.time() * 1000) - 60_000
    for part in range(3):
        events = [
            {"timestamp": at_ms + number // 3, "message": f"find-me {number}"}
            for number in range(part * 8000, part * 8000 + 8000)
        ]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    source = CloudWatchSource(logs, prefix=group)
    assert len(set(messages(source.lines("find-me")))) == 24_000


def test_a_session_of_boto3_reads_the_log_groups_of_functions(cloud: LocalCloud) -> None:
    run = Run("by-session")
    run.receive("by-session-1")
    write(cloud, "/aws/lambda/by-session", [line.message for line in run.end()])
    write(cloud, "/elsewhere/by-session", [line.message for line in run.lines])
    assert len(find_story(cloud.session(), "by-session-1").hops) == 1


def test_a_place_that_does_not_answer_is_said() -> None:
    logs: Any = boto3.client(
        "logs",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(ClewError, match=r"^the moon could not be read: "):
        list(CloudWatchSource(logs, "the moon").lines("x"))


def test_a_permission_that_is_missing_is_named(cloud: LocalCloud) -> None:
    write(cloud, "/denied/f", ["x"])
    source = CloudWatchSource(cloud.client("logs"), "a test", prefix="/denied/")
    fault = cloud.faults.add("logs", "FilterLogEvents", error="AccessDeniedException")
    try:
        with pytest.raises(ClewError, match=r"^a test may not be read by .* allow logs:FilterLog"):
            list(source.lines("x"))
    finally:
        cloud.faults.clear(fault.id)
    assert messages(source.lines("x")) == ["x"]


def test_that_no_log_group_begins_so_is_said(cloud: LocalCloud) -> None:
    source = CloudWatchSource(cloud.client("logs"), "a test", prefix="/nothing-begins-so/")
    since = datetime.now(UTC) - timedelta(minutes=5)
    with pytest.raises(ClewError) as raised:
        find_story(source, "request-1", since=since)
    said = str(raised.value)
    assert said.startswith("No log line has the id request-1 in 0 log groups of a test from 20")
    assert said.endswith("begins with /nothing-begins-so/; say how yours begin with --log-group.")
