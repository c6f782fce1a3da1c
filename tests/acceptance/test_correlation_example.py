"""The example, deployed and called from outside: what its five functions logged of one request."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from rich.console import Console

from clew.stories import find_story
from clew.stories.terminal import print_story

from .trail import Trail, json_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud, Stack
    from clew.stories import Hop

pytestmark = pytest.mark.local_cloud

TEMPLATE = Path(__file__).parents[2] / "examples" / "correlation" / "template.yaml"
DELIVERIES = 3  # of a record that fails: MaximumRetryAttempts of the template, and the first
BROWSER = "posts-app/3.1 (acceptance)"
TEXT = 'A lion does not concern himself with "sheep" — ever.'

# Every path that a request takes, with the ids that are known at its end.
PATHS = {
    "ApiA": {"post-id"},
    "ApiA > ApiB": {"post-id", "author-id"},
    "ApiA > ApiB > ApiC": {"post-id", "author-id", "lookup-id"},
    "ApiA > Notify": {"post-id", "notification-id"},
    "ApiA > Notify > ApiC": {"post-id", "notification-id", "lookup-id"},
    "ApiA > Timeline": {"post-id", "timeline-id"},
    "ApiA > Timeline > ApiC": {"post-id", "timeline-id", "lookup-id"},
}


class Blog:
    """The deployed example, as a client and an operator see it."""

    def __init__(self, cloud: LocalCloud, stack: Stack, until: Callable[..., Any]) -> None:
        self.cloud = cloud
        self.stack = stack
        self._until = until

    def post(self, headers: dict[str, str] | None = None, **more: str) -> requests.Response:
        """Publish a post; the response."""
        return requests.post(
            self.stack.outputs["PostsUrl"],
            json={"author": "tywin", "text": TEXT, **more},
            headers={"user-agent": BROWSER, **(headers or {})},
            timeout=30,
        )

    def trail(self, correlation_id: str) -> Trail:
        """What has been logged so far."""
        return Trail(json_lines(self.cloud, self.stack), correlation_id)

    def whole_trail(self, correlation_id: str) -> Trail:
        """The trail of a request in which all goes well, once it is complete."""

        def complete() -> Trail | None:
            trail = self.trail(correlation_id)
            return trail if trail.by_path.keys() >= PATHS.keys() else None

        found: Trail = self._until(complete, f"all hops of {correlation_id} are in the logs")
        return found


@pytest.fixture(scope="module")
def blog(cloud: LocalCloud, until: Callable[..., Any]) -> Blog:
    return Blog(cloud, cloud.deploy(TEMPLATE, "acceptance"), until)


@pytest.fixture(scope="module")
def quiet(blog: Blog) -> Trail:
    """A request for which DEBUG was switched off at the edge."""
    response = blog.post({"debug-log-enabled": "false"})
    assert response.status_code == 202, response.text
    return blog.whole_trail(response.headers["x-correlation-id"])


@pytest.fixture(scope="module")
def loud(blog: Blog) -> Trail:
    """A request for which DEBUG was switched on at the edge."""
    response = blog.post({"debug-log-enabled": "true"})
    assert response.status_code == 202, response.text
    return blog.whole_trail(response.headers["x-correlation-id"])


def test_every_path_is_there_once(quiet: Trail) -> None:
    assert {path: len(hops) for path, hops in quiet.by_path.items()} == dict.fromkeys(PATHS, 1)


@pytest.mark.parametrize("debug", ["true", "false"])
def test_every_line_has_the_id_the_browser_and_the_decision(blog: Blog, debug: str) -> None:
    response = blog.post({"debug-log-enabled": debug})
    correlation_id = response.headers["x-correlation-id"]
    trail = blog.whole_trail(correlation_id)
    for path in PATHS:
        hop = trail.only(path)
        assert hop.lines, path
        assert hop.values("x-correlation-id") == {correlation_id}, path
        assert hop.values("user-agent") == {BROWSER}, path
        assert hop.values("debug-log-enabled") == {debug}, path
    tagged = {
        function
        for function, line in json_lines(blog.cloud, blog.stack)
        if line.get("x-correlation-id") == correlation_id and line.get("user-agent") == BROWSER
    }
    assert tagged == set(blog.stack.functions)


def test_an_id_reaches_everything_downstream_and_nothing_upstream(loud: Trail) -> None:
    for path, names in PATHS.items():
        ids = loud.only(path).ids
        assert set(ids) == names | {"id"}, path
        assert all(len(values) == 1 for values in ids.values()), path
        upstream, _, _ = path.rpartition(" > ")
        if upstream:
            above = loud.only(upstream).ids
            assert {name: ids[name] for name in above} == above, path
    lookups = [loud.only(path).ids["lookup-id"].pop() for path in PATHS if path.endswith("ApiC")]
    assert len(set(lookups)) == len(lookups), "each call of api-c has an id of its own"


def test_the_chain_length_counts_the_hops(quiet: Trail) -> None:
    for path in PATHS:
        assert quiet.only(path).values("call-chain-length") == {str(len(path.split(" > ")))}, path


def test_debug_is_decided_at_the_edge_for_the_whole_chain(quiet: Trail, loud: Trail) -> None:
    for path in PATHS:
        assert "DEBUG" in loud.only(path).levels, path
        assert quiet.only(path).levels == {"INFO"}, path


def test_the_sampled_decision_is_one_for_the_whole_chain(blog: Blog) -> None:
    trail = blog.whole_trail(blog.post().headers["x-correlation-id"])
    (decision,) = trail.only("ApiA").values("debug-log-enabled")
    for hop in trail.hops:
        assert hop.values("debug-log-enabled") == {decision}
        assert ("DEBUG" in hop.levels) == (decision == "true")


def test_the_spans_join(quiet: Trail) -> None:
    edge = quiet.only("ApiA")
    assert "parent" not in edge.received, "nothing of ours called the edge"
    sent = {one["span"]: one for hop in quiet.hops for one in hop.sent}
    assert len(sent) == len(PATHS) - 1
    for hop in quiet.hops:
        assert hop.received["trace"] == edge.received["trace"]
        assert hop.received["outcome"] == "done"
        if hop is not edge:
            one = sent.pop(hop.received["parent"])
            assert one["outcome"] == "ok"
            for name in ("messageId", "sequenceNumber", "shardId"):
                assert one.get(name) == hop.received.get(name)
    assert not sent, "every send was received"


def test_sends_say_where_to(blog: Blog, quiet: Trail) -> None:
    resources = blog.stack.resources
    told = {(one["service"], one["operation"]): one for one in quiet.only("ApiA").sent}
    assert set(told) == {("http", "GET"), ("sns", "Publish"), ("kinesis", "PutRecord")}
    assert told["sns", "Publish"]["target"] == resources["PublishedPosts"]
    assert told["kinesis", "PutRecord"]["target"].endswith(resources["PostStream"])
    assert told["http", "GET"]["target"].endswith("/authors/tywin")
    assert told["http", "GET"]["status"] == 200


def test_the_handlers_read_what_was_sent_and_nothing_more(loud: Trail) -> None:
    (post_id,) = loud.only("ApiA").ids["post-id"]
    assert isinstance(post_id, str)
    post = {"post": post_id, "author": "tywin", "text": TEXT}
    (message,) = [line for line in loud.only("ApiA > Notify").lines if "read" in line]
    assert message["read"] == json.dumps(post)
    assert message["attributes"].keys() == {"kind"}
    assert message["attributes"]["kind"]["Value"] == "post"
    (record,) = [line for line in loud.only("ApiA > Timeline").lines if "read" in line]
    assert record["read"] == {**post, "followers": ["cersei", "jaime"]}


def test_an_id_that_comes_in_is_kept(blog: Blog) -> None:
    headers = {"x-correlation-id": "from-the-app-42", "X-Correlation-Order-Id": "7"}
    response = blog.post(headers)
    assert response.headers["x-correlation-id"] == "from-the-app-42"
    trail = blog.whole_trail("from-the-app-42")
    for hop in trail.hops:
        assert hop.values("x-correlation-id") == {"from-the-app-42"}
        assert hop.values("x-correlation-order-id") == {"7"}


def test_requests_side_by_side_keep_their_ids_apart(blog: Blog) -> None:
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: blog.post({"debug-log-enabled": "false"}), range(6)))
    ids = {answer.headers["x-correlation-id"]: answer.json()["post"] for answer in responses}
    assert len(ids) == len(set(ids.values())) == len(responses)
    for correlation_id, post_id in ids.items():
        trail = blog.whole_trail(correlation_id)
        assert set(trail.by_path) == set(PATHS)
        for hop in trail.hops:
            assert hop.values("x-correlation-id") == {correlation_id}
            assert hop.ids["post-id"] == {post_id}


def test_a_refused_request_is_answered_with_its_id(blog: Blog) -> None:
    unknown = blog.post(author="nobody")
    assert unknown.status_code == 404
    trail = blog.trail(unknown.headers["x-correlation-id"])
    assert set(trail.by_path) == {"ApiA", "ApiA > ApiB"}
    wrong = blog.post(text="")
    assert wrong.status_code == 400
    assert set(blog.trail(wrong.headers["x-correlation-id"]).by_path) == {"ApiA"}


def test_the_story_of_a_request_has_every_hop_in_its_place(blog: Blog) -> None:
    response = blog.post({"debug-log-enabled": "false"})
    story = find_story(blog.cloud, response.headers["x-correlation-id"], wait_s=20)
    names = {physical: logical for logical, physical in blog.stack.functions.items()}

    def path(hop: Hop) -> str:
        above = f"{path(story.hop(hop.above))} > " if hop.above is not None else ""
        return above + names[hop.function]

    assert sorted(path(hop) for hop in story.hops) == sorted(PATHS)
    assert not story.breaks
    assert not story.debug
    assert story.user_agent == BROWSER
    for hop in story.hops:
        own = PATHS[path(hop)] - PATHS.get(path(hop).rpartition(" > ")[0], set())
        assert set(hop.ids_added) == {f"x-correlation-{name}" for name in own}
        assert hop.outcome == "done"
    kinds = [(send.service, send.operation) for send in story.hop(1).sends]
    assert kinds == [("http", "GET"), ("sns", "Publish"), ("kinesis", "PutRecord")]


class Poisoned:
    """A request whose record fails in the Kinesis function."""

    def __init__(self, blog: Blog, until: Callable[..., Any]) -> None:
        self.response = blog.post({"debug-log-enabled": "false"}, new_follower="jaqen")
        assert self.response.status_code == 202
        self.id = self.response.headers["x-correlation-id"]
        until(lambda: self._failed(blog, 1), "the record fails")
        # Behind it, of the same author, and in another batch.
        self.next_id = blog.post({"debug-log-enabled": "false"}).headers["x-correlation-id"]
        self.trail: Trail = until(lambda: self._failed(blog, DELIVERIES), "it fails for good")
        self.failed = self.trail.by_path["ApiA > Timeline"]

    def _failed(self, blog: Blog, times: int) -> Trail | None:
        trail = blog.trail(self.id)
        return trail if len(trail.by_path.get("ApiA > Timeline", [])) >= times else None


@pytest.fixture(scope="module")
def poisoned(blog: Blog, until: Callable[..., Any]) -> Poisoned:
    return Poisoned(blog, until)


def test_a_failing_function_writes_what_debug_would_have_said(poisoned: Poisoned) -> None:
    assert len(poisoned.failed) == DELIVERIES
    for hop in poisoned.failed:
        assert hop.received["outcome"] == "failed"
        assert "'NoneType' object has no attribute 'lower'" in hop.received["error"]
        assert hop.wide["outcome"] == "error"
        assert hop.wide["level"] == "ERROR"
        held = [line for line in hop.lines if line["level"] == "DEBUG"]
        assert all(line["flightRecorder"] is True for line in held)
        assert all(line["x-correlation-id"] == poisoned.id for line in held)
        (profiles,) = [line["profiles"] for line in held if "profiles" in line]
        names = [profile["name"] for profile in profiles]
        assert names == ["Cersei Lannister", "Jaime Lannister", None], "the line that tells why"


def test_only_the_function_that_failed_is_loud(poisoned: Poisoned) -> None:
    for path in ("ApiA", "ApiA > ApiB", "ApiA > ApiB > ApiC", "ApiA > Notify"):
        assert poisoned.trail.only(path).levels == {"INFO"}
    for hop in poisoned.trail.by_path["ApiA > Timeline > ApiC"]:
        assert hop.levels == {"INFO"}


def test_the_story_breaks_where_the_function_failed(blog: Blog, poisoned: Poisoned) -> None:
    story = find_story(blog.cloud, poisoned.id, wait_s=20)
    failing = blog.stack.functions["Timeline"]
    assert len(story.breaks) == 1, "of its deliveries the last one"
    assert {(one.kind, one.function) for one in story.breaks} == {("failed", failing)}
    assert all("has no attribute 'lower'" in one.sentence for one in story.breaks)
    assert {hop.function for hop in story.hops if hop.outcome == "failed"} == {failing}
    console = Console(width=100, file=io.StringIO(), color_system=None)
    print_story(story, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "BREAK  failed: AttributeError" in shown
    assert "(flight recorder)" in shown


def test_a_record_that_failed_is_put_aside_and_the_next_one_gets_through(
    blog: Blog, poisoned: Poisoned
) -> None:
    queue = blog.stack.outputs["PutAsideUrl"]
    answer = blog.cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    (message,) = answer["Messages"]
    batch = json.loads(message["Body"])["KinesisBatchInfo"]
    (number,) = {hop.received["sequenceNumber"] for hop in poisoned.failed}
    assert (batch["startSequenceNumber"], batch["batchSize"]) == (number, 1)
    following = blog.whole_trail(poisoned.next_id)
    assert following.only("ApiA > Timeline").received["outcome"] == "done"
