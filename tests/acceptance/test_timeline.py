"""The timeline example under each policy, with a post in the middle that cannot be placed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from clew.stories import find_story

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from clew.stories import Story
    from conftest import Until

    from .trail import Line

pytestmark = pytest.mark.local_cloud

EXAMPLE = Path(__file__).parents[2] / "examples" / "timeline"
BUG = 'text: str = post["text"]'
FIXED = 'text: str = post.get("text", "(a picture)")'
READERS = {"bran", "sansa"}
PICTURE = {"picture": "https://example.com/direwolf.png"}
#: Bounds of waits, not measures: what is waited for takes a second or two.
SOON_S = 60.0


class Feed:
    """One deployment of the example, as its users and its operator see it."""

    def __init__(
        self,
        cloud: LocalCloud,
        until: Until,
        folder: Path,
        policy: str,
        name: str = "",
        **parameters: str,
    ) -> None:
        self.cloud = cloud
        self.until = until
        self.name = name or f"feed-{policy}"
        self.folder = folder / self.name
        shutil.copytree(EXAMPLE, self.folder)
        self.parameters = {"Policy": policy, "SecondChance": "no", "SecondChanceAfter": "1s"}
        self.deploy(**parameters)
        dynamodb: Any = cloud.session().resource("dynamodb", endpoint_url=cloud.endpoint_url)
        self._timelines = dynamodb.Table(self.stack.outputs["TimelinesTable"])
        table = dynamodb.Table(self.stack.outputs["FollowersTable"])
        for author in ("arya", "jon"):
            for follower in READERS:
                table.put_item(Item={"author": author, "follower": follower})

    def deploy(self, **parameters: str) -> None:
        """Deploy what the folder has, as a pipeline does."""
        self.parameters |= parameters
        self.stack = self.cloud.deploy(
            self.folder / "template.yaml", self.name, parameters=self.parameters
        )

    def fix_the_bug(self, **parameters: str) -> None:
        module = self.folder / "src" / "timelines.py"
        source = module.read_text("utf-8")
        assert source.count(BUG) == 1
        module.write_text(source.replace(BUG, FIXED), "utf-8")
        self.deploy(**parameters)

    def post(self, author: str = "arya", **post: str) -> str:
        """Publish a post; its correlation id."""
        answer = requests.post(
            self.stack.outputs["PostsUrl"], json={"author": author, **post}, timeout=30
        )
        assert answer.status_code == 202, answer.text
        return answer.headers["x-correlation-id"]

    def publish_five(self) -> str:
        """Two posts, a picture, and two more; the correlation id of the picture."""
        self.post("jon", text="A warm start.")
        self.shown("jon", 1)
        for text in ("one", "two"):
            self.post(text=text)
        picture = self.post(**PICTURE)
        for text in ("four", "five"):
            self.post(text=text)
        return picture

    def timelines(self, author: str = "arya") -> dict[str, list[str]]:
        """What each reader sees of an author, in its order."""
        items = self._timelines.scan()["Items"]
        items = sorted((item for item in items if item["author"] == author), key=_place)
        return {
            reader: [item["preview"] for item in items if item["reader"] == reader]
            for reader in READERS
        }

    def shown(self, author: str, count: int) -> list[str]:
        """The timeline of every reader, once each has so many posts."""

        def all_have() -> list[str] | None:
            seen = list(self.timelines(author).values())
            return seen[0] if all(len(one) == count for one in seen) else None

        found: list[str] = self.until(all_have, f"{count} posts of {author} are shown", SOON_S)
        assert self.timelines(author) == dict.fromkeys(READERS, found)
        return found

    def lines(self, function: str = "Distribute", **fields: str) -> list[Line]:
        """The lines of a function that have these fields, oldest first."""
        written = [one.message for one in self.cloud.log_lines(self.stack.functions[function])]
        lines = [json.loads(message) for message in written if message.startswith("{")]
        return [line for line in lines if fields.items() <= line.items()]

    def logged(self, message: str, correlation_id: str, times: int = 1) -> list[Line]:
        """What distribute says of a post, once it has said it as often."""
        fields = {"message": message, "x-correlation-id": correlation_id}

        def found() -> list[Line] | None:
            lines = self.lines(**fields)
            return lines if len(lines) >= times else None

        lines: list[Line] = self.until(found, f"distribute logs {fields}", SOON_S)
        return lines

    def outcomes_with(self, correlation_id: str) -> list[list[str]]:
        """Of every batch that had this record, what became of its records."""
        return [
            [one["outcome"] for one in line["received"]]
            for line in self.lines(message="invocation")
            if any(one["id"] == correlation_id for one in line["received"])
        ]

    def waiting(self, output: str) -> int:
        """Messages of a queue that somebody could receive."""
        answer = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs[output],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def clew(self, *arguments: str) -> str:
        """What ``clew`` prints."""
        done = subprocess.run(
            [sys.executable, "-m", "clew", *arguments],
            env={**os.environ, "COLUMNS": "300"},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dead_letters(self, output: str) -> list[dict[str, Any]]:
        """What ``clew dlq list`` says of a queue."""
        queue = self.stack.outputs[output]
        said = self.clew("dlq", "list", queue, "--json", "--local", self.cloud.name)
        found: list[dict[str, Any]] = json.loads(said)
        return found

    def redrive(self, output: str, to: str) -> str:
        """What ``clew dlq redrive`` says."""
        queue = self.stack.outputs[output]
        return self.clew("dlq", "redrive", queue, "--to", to, "--yes", "--local", self.cloud.name)

    def story(self, correlation_id: str) -> Story:
        """What is known of a post."""
        return find_story(self.cloud, correlation_id, wait_s=SOON_S)

    def lives(self, correlation_id: str) -> list[tuple[str, str]]:
        """Who had a post and what became of it, once nothing of its story is broken any more."""

        def whole() -> Story | None:
            story = self.story(correlation_id)
            return None if story.breaks else story

        story: Story = self.until(whole, f"the story of {correlation_id} is whole", SOON_S)
        return [(hop.function, hop.outcome) for hop in story.hops]


def _place(item: dict[str, Any]) -> str:
    return str(item["place"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("timeline")


def test_halt_stops_everybody_and_loses_nothing(
    cloud: LocalCloud, until: Until, folder: Path
) -> None:
    feed = Feed(cloud, until, folder, "halt")
    picture = feed.publish_five()
    feed.post("jon", text="Why does nobody read this?")
    feed.logged("record returned", picture, 2)
    assert feed.shown("arya", 2) == ["one", "two"]
    assert feed.shown("jon", 1) == ["A warm start."]
    first, *again = feed.outcomes_with(picture)
    assert first[:3] == ["done", "done", "returned"]
    assert all(set(batch) == {"returned"} for batch in (first[2:], *again)), "it is tried first"

    feed.fix_the_bug()
    assert feed.shown("arya", 5) == ["one", "two", "(a picture)", "four", "five"]
    assert feed.shown("jon", 2) == ["A warm start.", "Why does nobody read this?"]
    placed = [line["post"] for line in feed.lines(message="on the timelines")]
    published = [
        line["x-correlation-post-id"] for line in feed.lines("Publish", message="published")
    ]
    assert placed == published, "in the order of the stream, each once"


def test_skip_goes_on_and_says_what_is_lost(cloud: LocalCloud, until: Until, folder: Path) -> None:
    feed = Feed(cloud, until, folder, "skip")
    picture = feed.publish_five()
    assert feed.shown("arya", 4) == ["one", "two", "four", "five"]
    (loss,) = feed.logged("record skipped", picture)
    assert loss["level"] == "ERROR"
    assert (loss["exception"]["type"], loss["exception"]["message"]) == ("KeyError", "'text'")
    assert feed.outcomes_with(picture) == [["done", "done", "skipped", "done", "done"]]
    assert [one.kind for one in feed.story(picture).breaks] == ["skipped"]


def test_retry_lets_the_others_through_and_the_redrive_delivers(
    cloud: LocalCloud, until: Until, folder: Path
) -> None:
    feed = Feed(cloud, until, folder, "retry")
    picture = feed.publish_five()
    assert feed.shown("arya", 4) == ["one", "two", "four", "five"]
    assert feed.logged("record failed, trying again", picture)
    feed.until(lambda: feed.waiting("DeadLettersUrl"), "it is in the queue", SOON_S)
    (letter,) = feed.dead_letters("DeadLettersUrl")
    assert letter["correlationId"] == picture
    assert letter["error"]["type"] == "KeyError"
    assert [one.kind for one in feed.story(picture).breaks] == ["dead-lettered"]

    feed.fix_the_bug()
    assert "Sent 1 dead letter to the" in feed.redrive("DeadLettersUrl", "source")
    assert feed.shown("arya", 5) == ["one", "two", "(a picture)", "four", "five"], "in its place"
    assert feed.waiting("DeadLettersUrl") == 0
    feed.logged("on the timelines", picture)
    story = json.loads(feed.clew("story", picture, "--json", "--name", cloud.name))
    assert story["id"] == picture
    assert story["breaks"] == []
    assert [(hop["function"], hop["outcome"]) for hop in story["hops"]] == [
        ("feed-retry-publish", "done"),
        ("feed-retry-distribute", "dead-lettered"),
        ("feed-retry-distribute", "done"),
    ]
    edge, dead, delivered = story["hops"]
    assert (dead["above"], delivered["above"]) == (edge["number"], dead["number"])
    assert len(story["trace_ids"]) == 1
    shown = feed.clew("story", picture, "--check", "--name", cloud.name)
    assert shown.index("DEAD-LETTERED") < shown.index("(dead letter") < shown.rindex("done")
    assert "BREAK" not in shown


def test_the_second_chance_places_a_post_or_parks_it(
    cloud: LocalCloud, until: Until, folder: Path
) -> None:
    feed = Feed(cloud, until, folder, "retry", name="feed-again", SecondChance="yes")
    parked = feed.post(**PICTURE)
    feed.until(lambda: feed.waiting("GivenUpUrl"), "it is given up", SOON_S)
    (broken,) = feed.story(parked).breaks
    assert (broken.kind, broken.function) == ("dead-lettered", "feed-again-second-chance")

    feed.deploy(SecondChance="no")
    saved = feed.post(**PICTURE)
    feed.until(lambda: feed.waiting("DeadLettersUrl"), "it is in the queue", SOON_S)
    feed.fix_the_bug(SecondChance="yes")
    assert feed.shown("arya", 1) == ["(a picture)"]
    assert feed.lives(saved) == [
        ("feed-again-publish", "done"),
        ("feed-again-distribute", "dead-lettered"),
        ("feed-again-second-chance", "done"),
    ]

    assert "Sent 1 dead letter to the" in feed.redrive("GivenUpUrl", "function")
    assert feed.shown("arya", 2) == ["(a picture)"] * 2
    assert feed.lives(parked) == [
        ("feed-again-publish", "done"),
        ("feed-again-distribute", "dead-lettered"),
        ("feed-again-second-chance", "returned"),
        ("feed-again-second-chance", "returned"),
        ("feed-again-second-chance", "dead-lettered"),
        ("feed-again-distribute", "done"),
    ]
