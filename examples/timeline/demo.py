"""Shows on this machine what each failure policy does to a stream with one broken post in it.

``demo.py`` shows all of them, ``demo.py retry`` the one that is named.

Whatever it tells the reader it has first checked; it exits with 1 and a sentence if something did
not come out as told.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

EXAMPLE = Path(__file__).resolve().parent
sys.path.insert(0, str(EXAMPLE.parent))  # the narrator of all examples

try:
    import requests
    from narrator import Ending, Narrator, NotAsToldError

    from clew.errors import ClewError
    from clew.localcloud import LocalCloud
    from clew.stories import find_story
    from clew.stories.terminal import print_story
except ModuleNotFoundError as missing:
    sys.exit(f"demo: {missing.name} is not installed; `make demo` sets up all that is needed.")

if TYPE_CHECKING:
    from collections.abc import Callable

READERS = ("bran", "sansa")
POSTS: tuple[dict[str, str], ...] = (
    {"text": "Winter is coming."},
    {"text": "It is here."},
    {"picture": "https://example.com/direwolf.png"},
    {"text": "Where is Nymeria?"},
    {"text": "There she is."},
)
BUG = 'text: str = post["text"]  # the bug: a post may be a picture, and have none'
FIXED = 'text: str = post.get("text", "(a picture)")'
TEXTS = [post.get("text", "(a picture)") for post in POSTS]
WITHOUT = [post["text"] for post in POSTS if "text" in post]
WAIT_S = 60.0  # far more than anything takes


def main() -> int:
    """Tell all of it; the exit status."""
    asked = sys.argv[1:] or [*PARTS]
    if unknown := [name for name in asked if name not in PARTS]:
        return fail(f"there is no policy {unknown[0]} here; name some of {', '.join(PARTS)}.")
    ending = Ending()
    try:
        with tempfile.TemporaryDirectory(prefix="clew-timeline-") as folder:
            show(Narrator(ending), Path(folder), asked)
        ending.check()
    except NotAsToldError as untrue:
        return fail(f"this did not come out as told: {untrue}")
    except (ClewError, requests.RequestException) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ndemo: ended early; nothing is left running.", file=sys.stderr)
        return 128 + ending.asked
    return 0


def fail(sentence: str) -> int:
    """Say on stderr why the demo fails; the exit status."""
    print(f"demo: {sentence}", file=sys.stderr)
    return 1


def show(narrator: Narrator, folder: Path, asked: list[str]) -> None:
    """All that was asked for."""
    narrator.head("One broken post, three policies")
    narrator.say(
        f"Arya publishes {len(POSTS)} posts, and they come to her followers' timelines through a "
        "Kinesis stream. The third is a picture, and the function on the stream has a bug: it "
        "expects that every post has a text. What becomes of the others?"
    )
    with LocalCloud.start(name="timeline") as cloud:
        for policy in asked:
            PARTS[policy](Feed(narrator, cloud, folder, policy))
    narrator.head("That was all")
    narrator.claim("The emulator and all that it started have ended.", not cloud.alive)


class Feed:
    """The example, deployed with one of the policies."""

    def __init__(self, narrator: Narrator, cloud: LocalCloud, folder: Path, policy: str) -> None:
        self.narrator = narrator
        self.cloud = cloud
        self.name = f"timeline-{policy}"
        self.folder = folder / policy
        shutil.copytree(EXAMPLE, self.folder)
        self.parameters = {"Policy": policy, "SecondChance": "no", "SecondChanceAfter": "1s"}
        narrator.head(policy)
        narrator.say("In src/distribute.py:")
        narrator.verbatim(handler_of(policy))
        with narrator.console.status("deploying"):
            self.deploy()
        dynamodb: Any = cloud.session().resource("dynamodb", endpoint_url=cloud.endpoint_url)
        self._timelines = dynamodb.Table(self.stack.outputs["TimelinesTable"])
        followers = dynamodb.Table(self.stack.outputs["FollowersTable"])
        for reader in READERS:
            followers.put_item(Item={"author": "arya", "follower": reader})

    def deploy(self, **parameters: str) -> None:
        """Deploy the folder, or what changed in it."""
        self.parameters |= parameters
        template = self.folder / "template.yaml"
        self.stack = self.cloud.deploy(template, self.name, parameters=self.parameters)

    def fix_the_bug(self) -> None:
        """Change one line of the function, and deploy it again."""
        module = self.folder / "src" / "timelines.py"
        before = module.read_text("utf-8")
        after = before.replace(BUG, FIXED)
        module.write_text(after, "utf-8")
        changed = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        self.narrator.say("\nThe bug is fixed, and the function deployed again:")
        self.narrator.verbatim("\n".join(line for line in [*changed][3:]))
        self.deploy()

    def publish(self) -> str:
        """Publish all posts; the correlation id of the picture."""
        ids = []
        for post in POSTS:
            answer = requests.post(
                self.stack.outputs["PostsUrl"], json={"author": "arya", **post}, timeout=30
            )
            if answer.status_code != requests.codes.accepted:
                raise NotAsToldError(f"publish answered {answer.status_code}, {answer.text[:300]}")
            ids.append(answer.headers["x-correlation-id"])
        return ids[2]

    def timelines(self) -> list[list[str]]:
        """What each reader has, in its order."""
        items = sorted(self._timelines.scan()["Items"], key=lambda item: str(item["place"]))
        return [
            [str(item["preview"]) for item in items if item["reader"] == reader]
            for reader in READERS
        ]

    def shows(self, expected: list[str], sentence: str) -> None:
        """Show the timelines, once they are as ``expected``."""
        self.wait("the stream brings the posts", lambda: self.timelines() == [expected] * 2)
        seen = self.timelines()
        self.narrator.say("\nA follower's timeline:")
        self.narrator.verbatim("\n".join(seen[0]), "")
        self.narrator.claim(sentence, seen == [expected] * 2)

    def logged(self, message: str, correlation_id: str, function: str = "Distribute") -> int:
        """How many such lines there are of a post."""
        lines = [line.message for line in self.cloud.log_lines(self.stack.functions[function])]
        return sum(f'"message":"{message}"' in one and correlation_id in one for one in lines)

    def waits_in(self, output: str) -> int:
        """Messages of a queue."""
        answer = self.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def wait(self, doing: str, condition: Callable[[], Any]) -> None:
        """Until ``condition`` holds, or too long."""
        deadline = time.monotonic() + WAIT_S
        with self.narrator.console.status(doing):
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.1)

    def clew(self, *arguments: str) -> None:
        """Run ``clew`` on this cloud, as a person would."""
        self.narrator.verbatim(" ".join(["clew", *arguments, "--local"]))
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "clew", *arguments, "--local", self.cloud.name],
            env={**os.environ, "COLUMNS": str(self.narrator.console.width - 2)},
            capture_output=True,
            encoding="utf-8",
            timeout=WAIT_S,
            check=False,
        )
        self.narrator.verbatim((done.stdout + done.stderr).strip("\n"), "")
        if done.returncode:
            raise NotAsToldError(f"clew {arguments[0]} {arguments[1]} went well")

    def queue(self, output: str) -> str:
        """The name of a queue."""
        return self.stack.outputs[output].rpartition("/")[2]


def halt(feed: Feed) -> None:
    """Part 1: order before all."""
    picture = feed.publish()
    feed.wait("the picture fails", lambda: feed.logged("record returned", picture) >= 2)
    feed.shows(TEXTS[:2], "The stream stands still at the picture. Nothing behind it gets through.")
    feed.fix_the_bug()
    feed.shows(TEXTS, "All came, in their order: halt() loses nothing, and everybody waits.")


def skip(feed: Feed) -> None:
    """Part 2: real time before all."""
    picture = feed.publish()
    feed.shows(WITHOUT, "The others came at once.")
    feed.wait("the loss is logged", lambda: feed.logged("record skipped", picture))
    feed.narrator.claim(
        f"The picture is lost, and one ERROR says so under its own id, {picture}.",
        feed.logged("record skipped", picture) == 1,
    )


def retry(feed: Feed) -> None:
    """Part 3: both, and the record's way back."""
    narrator = feed.narrator
    picture = feed.publish()
    feed.shows(WITHOUT, "The others came: two more attempts at the picture took part of a second.")
    feed.wait("the dead letter is written", lambda: feed.waits_in("DeadLettersUrl"))
    narrator.claim(
        "The picture is not lost: it is in a queue.", feed.waits_in("DeadLettersUrl") == 1
    )
    narrator.say("\nThere it has a second chance, with time: the same function, another policy.")
    narrator.verbatim(handler_of("second_chance"))
    feed.deploy(SecondChance="yes")
    feed.wait("the second chance", lambda: feed.waits_in("GivenUpUrl"))
    narrator.claim(
        "The bug is still there: after three attempts it waits for a person, whom an alarm calls.",
        feed.waits_in("GivenUpUrl") == 1,
    )
    given_up = feed.queue("GivenUpUrl")
    feed.clew("dlq", "list", given_up)
    feed.fix_the_bug()
    narrator.say("And the picture is sent on its way again:")
    feed.clew("dlq", "redrive", given_up, "--to", "source", "--yes")
    feed.shows(TEXTS, "It came late, and has its place all the same.")
    feed.wait("the last line", lambda: feed.logged("on the timelines", picture))
    story = find_story(feed.cloud, picture, wait_s=WAIT_S)
    narrator.say(f"\nAll its lives, as `clew story {picture[:8]}` shows them:\n")
    print_story(story, narrator.console)
    narrator.say()
    narrator.claim(
        "One id through all of it: given up twice, delivered in the end, and nothing is broken.",
        [hop.outcome for hop in story.hops].count("dead-lettered") == 2
        and story.hops[-1].outcome == "done"
        and not story.breaks,
    )


PARTS = {"halt": halt, "skip": skip, "retry": retry}


def handler_of(name: str) -> str:
    """The lines of src/distribute.py that make a handler, as a reader finds them."""
    lines = (EXAMPLE / "src" / "distribute.py").read_text("utf-8").splitlines()
    (line,) = (
        number
        for number, text in enumerate(lines)
        if text.startswith((f"def {name}(", f"{name} = "))
    )
    first, last = line, line
    while lines[first - 1]:
        first -= 1
    while last + 1 < len(lines) and lines[last + 1]:
        last += 1
    return "\n".join(lines[first : last + 1])


if __name__ == "__main__":
    sys.exit(main())
