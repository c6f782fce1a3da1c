"""Lines come out of the emulator's Logs Insights; what it cannot do, a stub of its client does."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.stub import ANY, Stubber

from clew.errors import ClewError
from clew.stories import StoryError, find_story
from clew.stories.insights import InsightsSource, Progress
from clew.stories.insights_plan import Freshness, Limits, Plan
from clew.stories.search import search_stories

from .runtime import START_S, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud
    from clew.stories.lines import RawLine

pytestmark = pytest.mark.local_cloud

HOUR = timedelta(hours=1)


def write(cloud: LocalCloud, group: str, lines: list[tuple[int, str]]) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    events = [{"timestamp": at, "message": said} for at, said in sorted(lines)]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def put(cloud: LocalCloud, prefix: str, *runs: Run, age_s: float = 5) -> None:
    """Write the lines of invocations as if they had just been."""
    moved = int((time.time() - START_S - age_s) * 1000)
    for run in runs:
        lines = [(line.at_ms + moved, line.message) for line in run.lines]
        write(cloud, f"{prefix}{run.group.rpartition('/')[2]}", lines)


@pytest.fixture
def prefix() -> str:
    return f"/insights-{uuid.uuid4().hex[:12]}/"


def two(request: str) -> tuple[Run, Run]:
    edge = Run("edge", source="aws:apigateway")
    got = edge.receive(request, user="42")
    edge.log(got, "Checkout")
    publish = edge.send(got)
    edge.end()
    mail = Run("mail", at=20)
    mail.log(mail.receive(request, answers=publish, outcome="failed"), "declined", level="ERROR")
    mail.end(ValueError("no card"))
    return edge, mail


def since(ago: timedelta = HOUR) -> datetime:
    return datetime.now(UTC) - ago


def messages(lines: Iterator[RawLine]) -> list[str]:
    return [line.message for line in lines]


def test_a_story_is_found_by_its_id_its_beginning_and_its_words(
    cloud: LocalCloud, prefix: str
) -> None:
    request = str(uuid.uuid4())
    put(cloud, prefix, *two(request))
    plans: list[Plan] = []
    told: list[Progress] = []
    source = InsightsSource(
        cloud.client("logs"),
        "a test",
        prefix,
        agree=lambda one: not plans.append(one),  # type: ignore[func-returns-value]
        progress=told.append,
    )
    for id_ in (request, request[:8]):
        story = find_story(source, id_, since=since(), wait_s=0)
        assert story.functions == ("edge", "mail")
    assert plans[0].groups == 2
    assert plans[0].bytes > 0
    assert told[-1].done == told[-1].queries == 1
    assert source.bytes_read > 0
    found = search_stories(source, "checkout 42 DECLINED", since=since())
    assert [one.story.id for one in found.candidates] == [request]
    assert found.candidates[0].first_error.startswith("declined")
    assert source.name == "2 log groups of a test (Logs Insights)"
    with pytest.raises(StoryError, match=r"No log line has the id no-such-id in 2 log groups of a"):
        find_story(source, "no-such-id", since=since(), wait_s=0)


def test_more_groups_and_lines_than_a_query_takes_are_all_read(
    cloud: LocalCloud, prefix: str
) -> None:
    at = int(time.time() * 1000) - 60_000
    for number in range(5):
        lines = [(at + place * 40, f"find-me {number} {place}") for place in range(90)]
        write(cloud, f"{prefix}{number}", [*lines, (at, "other")])
    limits = Limits(groups=2, results=25, at_once=3)
    source = InsightsSource(cloud.client("logs"), "a test", prefix, limits=limits)
    found = messages(source.lines("find-me", since()))
    assert sorted(found) == sorted(
        f"find-me {one} {place}" for one in range(5) for place in range(90)
    )
    assert len(messages(source.lines(None, since()))) == 455
    later = datetime.fromtimestamp(at / 1000 + 2, UTC)
    assert 0 < len(messages(source.lines("find-me", later, datetime.now(UTC)))) < 450


def test_more_lines_of_one_millisecond_than_a_query_returns_are_said(
    cloud: LocalCloud, prefix: str
) -> None:
    at = int(time.time() * 1000) - 60_000
    lines = [(at, f"find-me {place}") for place in range(12)]
    write(cloud, f"{prefix}a", [*lines, (at + 1, "find-me last")])
    source = InsightsSource(cloud.client("logs"), "a test", prefix, limits=Limits(results=10))
    found = messages(source.lines("find-me", since()))
    assert "find-me last" in found
    assert len(found) == 11
    assert source.notes == ["More than 10 lines are of one millisecond; some of them are left out."]


def test_asking_again_reads_nothing(cloud: LocalCloud, prefix: str, tmp_path: Path) -> None:
    request = str(uuid.uuid4())
    put(cloud, prefix, *two(request))
    plans: list[Plan] = []

    def asked(**limits: Any) -> InsightsSource:
        plans.clear()
        return InsightsSource(
            cloud.client("logs"),
            "a test",
            prefix,
            agree=lambda one: not plans.append(one),  # type: ignore[func-returns-value]
            cache=tmp_path / "answers",
            limits=Limits(**limits),
        )

    source = asked()
    first = find_story(source, request, since=since(), wait_s=0)
    assert source.bytes_read > 0
    assert plans
    source = asked()
    again = find_story(source, request, since=since(), wait_s=0)
    assert again == first
    assert (source.bytes_read, plans) == (0, [])
    # A log group that is new is asked; and with no answer that is fresh, the last minutes are.
    late = Run("late", at=30)
    late.receive(request)
    late.end()
    put(cloud, prefix, late)
    source = asked()
    assert len(find_story(source, request, since=since(), wait_s=0).hops) == 3
    assert [one.groups for one in plans] == [1]
    asked(freshness=Freshness(fresh_s=0))
    list(asked(freshness=Freshness(fresh_s=0)).lines(request, since()))
    assert [one.groups for one in plans] == [3]
    assert all(job.span.end_s - job.span.start_s < 300 for job in plans[0].jobs)
    # Each account and region has a file of its own.
    kept = [one.name for one in (tmp_path / "answers").glob("*.db")]
    assert kept == [f"{cloud.region}-000000000000-insights.db"]


def test_the_newest_lines_with_a_word_are_enough(
    cloud: LocalCloud, prefix: str, tmp_path: Path
) -> None:
    at = int(time.time() * 1000) - 60_000
    write(cloud, f"{prefix}a", [(at + place, f"Find me {place}") for place in range(30)])

    def asked() -> InsightsSource:
        limits = Limits(results=10)
        return InsightsSource(cloud.client("logs"), "a test", prefix, cache=tmp_path, limits=limits)

    source = asked()
    assert sorted(messages(source.newest("find", since()))) == [
        f"Find me {n}" for n in range(20, 30)
    ]
    assert messages(source.newest("fin", since())) == []
    assert len(messages(source.newest("fin*", since()))) == 10
    # What was not all is no answer to keep; that there is none, is.
    again = asked()
    assert len(messages(again.newest("find", since()))) == 10
    assert messages(again.newest("fin", since())) == []
    assert (again.asked, again.known) == (1, 1)


def test_nothing_is_asked_that_nobody_agreed_to(cloud: LocalCloud, prefix: str) -> None:
    put(cloud, prefix, *two("request-1"))
    source = InsightsSource(cloud.client("logs"), "a test", prefix, agree=lambda _plan: False)
    with pytest.raises(ClewError, match="Nothing was asked of Logs Insights; make --since shorter"):
        list(source.lines("request-1", since()))
    assert source.bytes_read == 0


def test_no_log_group_is_said(cloud: LocalCloud, prefix: str) -> None:
    source = InsightsSource(cloud.client("logs"), "a test", prefix)
    with pytest.raises(StoryError, match=f"begins with {prefix}; say how yours begin with --log"):
        find_story(source, "request-1", since=since(), wait_s=0)


# What follows the emulator does not do: it knows no permissions, and answers every query at once.


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    logs = boto3.client(
        "logs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(logs) as stub:
        yield logs, stub


GROUPS = {
    "logGroups": [
        {"logGroupName": f"/aws/lambda/{name}", "arn": f"arn:{name}", "creationTime": 0}
        for name in ("a", "b")
    ]
}


def test_a_permission_that_is_missing_is_named(stubbed: tuple[Any, Stubber]) -> None:
    logs, stub = stubbed
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_client_error(
        "start_query",
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: logs:StartQuery on"
        " resource: arn:aws:logs:eu-west-1:123456789012:log-group:a",
    )
    with pytest.raises(ClewError) as raised:
        list(InsightsSource(logs, "CloudWatch Logs in eu-west-1").lines("x", since()))
    assert str(raised.value) == (
        "CloudWatch Logs in eu-west-1 may not be read by arn:aws:iam::123456789012:user/ann: allow"
        " logs:StartQuery, or use another --profile."
    )
    stub.add_client_error("describe_log_groups", "AccessDeniedException", "no")
    with pytest.raises(ClewError, match="by these credentials: allow logs:DescribeLogGroups, or"):
        list(InsightsSource(logs, "it").lines("x", since()))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("Timeout", r"A query of it over 1.0 hours did not end within 60 minutes; make --since"),
        ("Failed", "it ended the query as Failed; try again"),
    ],
)
def test_a_query_that_did_not_end_well_is_said(
    stubbed: tuple[Any, Stubber], status: str, said: str
) -> None:
    logs, stub = stubbed
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_response("start_query", {"queryId": "q-1"})
    scanned = {"statistics": {"bytesScanned": 7.0}}
    stub.add_response("get_query_results", {"status": "Running", "results": [], **scanned})
    stub.add_response("get_query_results", {"status": status, "results": [], **scanned})
    source = InsightsSource(logs, "it")
    with pytest.raises(ClewError, match=said):
        list(source.lines("x", since()))
    assert source.bytes_read == 7
    stub.assert_no_pending_responses()


def test_a_query_that_takes_too_long_is_stopped(stubbed: tuple[Any, Stubber]) -> None:
    logs, stub = stubbed
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_response("start_query", {"queryId": "q-1"})
    stub.add_response("get_query_results", {"status": "Running", "results": []})
    stub.add_response("stop_query", {"success": True}, {"queryId": "q-1"})
    with pytest.raises(ClewError, match="did not end within"):
        list(InsightsSource(logs, "it", limits=Limits(timeout_s=0)).lines("x", since()))
    stub.assert_no_pending_responses()


def test_an_account_that_runs_as_many_as_it_may_is_waited_for(
    stubbed: tuple[Any, Stubber],
) -> None:
    logs, stub = stubbed
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_client_error("start_query", "LimitExceededException", "too many")
    stub.add_response("start_query", {"queryId": "q-1"})
    stub.add_response("get_query_results", {"status": "Complete", "results": []})
    assert list(InsightsSource(logs, "it").lines("x", since())) == []
    stub.assert_no_pending_responses()
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_client_error("start_query", "LimitExceededException", "too many")
    with pytest.raises(ClewError, match="it runs as many queries as it may"):
        list(InsightsSource(logs, "it", limits=Limits(timeout_s=0)).lines("x", since()))


def test_queries_are_stopped_when_nobody_waits_any_more() -> None:
    logs: Any = boto3.client(
        "logs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    called: list[str] = []

    def answer(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        called.append(model.name)
        said: dict[str, dict[str, Any]] = {
            "DescribeLogGroups": GROUPS,
            "StartQuery": {"queryId": f"q-{called.count('StartQuery')}"},
            "GetQueryResults": {"status": "Running", "results": []},
            "StopQuery": {"success": True},
        }
        return AWSResponse("", 200, HTTPHeaders(), None), said[model.name]

    def interrupted(_progress: Progress) -> None:
        if called.count("GetQueryResults") >= 2:
            raise KeyboardInterrupt

    logs.meta.events.register("before-call.logs", answer)
    limits = Limits(groups=1)
    source = InsightsSource(logs, "it", progress=interrupted, limits=limits)
    with pytest.raises(KeyboardInterrupt):
        list(source.lines("x", since()))
    assert called.count("StartQuery") == called.count("StopQuery") == 2
    assert called[-1] == "StopQuery"


def test_a_log_group_that_is_gone_is_left_out(stubbed: tuple[Any, Stubber]) -> None:
    logs, stub = stubbed
    stub.add_response("describe_log_groups", GROUPS)
    stub.add_client_error("start_query", "ResourceNotFoundException", "gone")
    left = {"logGroups": GROUPS["logGroups"][:1]}
    stub.add_response("describe_log_groups", left, {"logGroupNamePrefix": "/aws/lambda/a"})
    stub.add_response("describe_log_groups", {"logGroups": []}, {"logGroupNamePrefix": ANY})
    stub.add_response("start_query", {"queryId": "q-1"})
    row = [
        {"field": "@timestamp", "value": "2026-01-02 03:04:05.678"},
        {"field": "@message", "value": "x"},
        {"field": "@log", "value": "123456789012:/aws/lambda/a"},
        {"field": "@ptr", "value": "p"},
    ]
    stub.add_response("get_query_results", {"status": "Complete", "results": [row]})
    source = InsightsSource(logs, "it")
    found = list(source.lines("x", since()))
    assert [(one.log_group, one.at_ms) for one in found] == [("/aws/lambda/a", 1_767_323_045_678)]
    assert source.notes == ["The log group /aws/lambda/b was deleted meanwhile."]
