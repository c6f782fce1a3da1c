"""Shows one request's story on this machine, three times. ``make demo`` runs it.

In a terminal it ends with the last of them in a browser, until Ctrl-C. ``--no-browser`` leaves that
out, as does a run without a terminal; ``--keep`` serves the page all the same.

Whatever it tells the reader it has first checked against the story; it exits with 1 and a sentence
if something did not come out as told.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the narrator of all examples

try:
    import requests
    from narrator import Ending, Narrator, NotAsToldError

    from clew.errors import ClewError
    from clew.localcloud import LocalCloud
    from clew.stories import find_story
    from clew.stories.terminal import print_story
    from clew.stories.web.serve import open_browser
except ModuleNotFoundError as missing:
    sys.exit(f"demo: {missing.name} is not installed; `make demo` sets up all that is needed.")

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import StackEvent
    from clew.stories import Hop, Story

TEMPLATE = Path(__file__).with_name("template.yaml")
STACK = "demo"
CLIENT = "posts-app/3.1"
POST = {"author": "tywin", "text": "Hear me roar."}
DELIVERIES = 3  # the template's MaximumRetryAttempts, and the first
WAIT_S = 20.0  # for log lines; far more than it takes

FLOW = """\
POST /posts
  └─ api-a ──HTTP─────▶ api-b ─────HTTP──▶ api-c   who is the author?
       ├─────SNS──────▶ notify ────HTTP──▶ api-c   tell the followers
       └─────Kinesis──▶ timeline ──HTTP──▶ api-c   fill their timelines
"""

# What each function adds to the ids of the request.
ADDS = {
    "api-a": "post-id",
    "api-b": "author-id",
    "api-c": "lookup-id",
    "notify": "notification-id",
    "timeline": "timeline-id",
}


def main() -> int:
    """Run all three parts; the exit status."""
    asked = arguments()
    ending = Ending()
    try:
        show(Narrator(ending), ending, asked)
        ending.check()
    except NotAsToldError as untrue:
        return fail(f"this did not come out as told: {untrue}")
    except (ClewError, requests.RequestException) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\ndemo: ended early; nothing is left running.", file=sys.stderr)
        return 128 + ending.asked
    return 0


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="One request's story, on this machine.")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    parser.add_argument("--no-browser", action="store_true", default=not terminal)
    parser.add_argument("--keep", action="store_true", help="serve the page until interrupted")
    return parser.parse_args()


def fail(sentence: str) -> int:
    """Say on stderr why the demo fails; the exit status."""
    print(f"demo: {sentence}", file=sys.stderr)
    return 1


def show(narrator: Narrator, ending: Ending, asked: argparse.Namespace) -> None:
    """All of it."""
    narrator.head("One request, five functions")
    narrator.say(
        "A post is published, and its author's followers get it. On the way one request crosses "
        "three APIs, a topic (SNS) and a stream (Kinesis):"
    )
    narrator.verbatim(FLOW, "")
    with started(narrator) as cloud:
        quiet = one_request(narrator, cloud)
        with_debug(narrator, cloud, quiet)
        story = broken(narrator, cloud)
        if asked.keep or not asked.no_browser:
            in_a_browser(narrator, ending, cloud, story, opens=not asked.no_browser)
    narrator.head("That was all")
    narrator.claim("The emulator and all that it started have ended.", not cloud.alive)
    narrator.say(
        "\nTo play with it yourself, in two terminals. (The first command prints PostsUrl; ID is "
        "the x-correlation-id of the answer.)"
    )
    narrator.verbatim(
        ".venv/bin/clew local up examples/correlation/template.yaml\n"
        f"curl -i PostsUrl -d '{json.dumps(POST)}'\n"
        ".venv/bin/clew story ID\n"
        ".venv/bin/clew ui"
    )


def started(narrator: Narrator) -> LocalCloud:
    """A local cloud with the example in it; ends with the ``with`` block it is used in."""
    began = time.monotonic()
    ready: set[str] = set()
    narrator.say("Starting an AWS emulator on this machine, and deploying examples/correlation.")

    def on_event(event: StackEvent) -> None:
        if event.status.endswith("_COMPLETE"):
            ready.add(event.logical_id)
        doing.update(f"{len(ready)} resources ready, {event.logical_id}: {event.status.lower()}")

    with narrator.console.status("starting the emulator") as doing:
        cloud = LocalCloud.start(
            TEMPLATE,
            name=STACK,
            stack_name=STACK,
            on_event=on_event,
        )
    narrator.say(
        f"Ready after {time.monotonic() - began:.1f} s at {cloud.endpoint_url}: "
        f"{len(cloud.functions)} functions, real Python processes, on the template that AWS gets."
    )
    return cloud


def one_request(narrator: Narrator, cloud: LocalCloud) -> Story:
    """Part 1: the ids."""
    narrator.head("1. One request")
    narrator.say("A client sends a post:")
    story = follow(narrator, cloud, post(narrator, cloud, debug=False), lambda _story: True)
    lines = [line for hop in story.hops for line in hop.lines]
    narrator.claim(
        f"One id found {len(story.hops)} hops in {len(story.functions)} functions. (A hop is one "
        "request, message or record that a function handled.)",
        len(story.hops) == 7 and len(story.functions) == 5 and not story.breaks,
    )
    narrator.claim(
        f"Every log line has the id, and the name of the client ({CLIENT}).",
        all(line.id == story.id and line.user_agent == CLIENT for line in lines),
    )
    narrator.claim(
        'What a function adds ("ids") is known to all below it, and to nothing above.',
        all(set(hop.ids_added) == {f"x-correlation-{ADDS[short(hop)]}"} for hop in story.hops)
        and all(ids_above(story, hop).items() <= ids(hop).items() for hop in story.hops),
    )
    return story


def with_debug(narrator: Narrator, cloud: LocalCloud, quiet: Story) -> None:
    """Part 2: the DEBUG decision."""
    narrator.head("2. The same, with DEBUG")
    narrator.say(
        "One header where the request comes in, and all five functions log in detail, for this "
        "request alone. (Without the header, api-a chooses 5 % of all requests at random.)"
    )
    story = follow(narrator, cloud, post(narrator, cloud, debug=True), lambda _story: True)
    narrator.claim(
        f"DEBUG lines from all {len(story.hops)} hops: {debug_lines(story)}. "
        f"The first request had {debug_lines(quiet) or 'none'}.",
        len(story.hops) == 7
        and all(any(line.level == "DEBUG" for line in hop.lines) for hop in story.hops)
        and debug_lines(quiet) == 0,
    )


def broken(narrator: Narrator, cloud: LocalCloud) -> Story:
    """Part 3: the flight recorder, and the break."""
    narrator.head("3. A request that breaks")
    narrator.say(
        "A new follower has a broken profile, which timeline cannot cope with. DEBUG is off."
    )
    answer = post(narrator, cloud, debug=False, new_follower="jaqen")
    story = follow(narrator, cloud, answer, lambda story: bool(story.breaks))
    failed = [hop for hop in story.hops if hop.broken is not None]
    loud = [hop for hop in story.hops if any(line.level == "DEBUG" for line in hop.lines)]
    debug = [line for hop in loud for line in hop.lines if line.level == "DEBUG"]
    held = [line for line in debug if line.logger != "clew"]  # clew's own is the event
    narrator.claim(
        "The break is where it happened: timeline failed on what came from the stream.",
        bool(failed)
        and all(short(hop) == "timeline" and hop.outcome == "failed" for hop in failed)
        and all(hop.outcome == "done" for hop in story.hops if hop not in failed),
    )
    narrator.claim(
        f"{len(held)} DEBUG lines had been kept in memory, and were written because timeline "
        'failed: those marked "flight recorder". No other function has any.',
        bool(held) and loud == failed and all(line.flight_recorder for line in debug),
    )
    nameless = [
        profile
        for line in held
        for profile in line.fields.get("profiles", ())
        if profile["name"] is None
    ]
    narrator.claim(f"They hold the clue: {json.dumps(nameless[:1])[1:-1]}", bool(nameless))

    with narrator.console.status("the stream tries the record again"):
        aside = put_aside(cloud)
        story = found(cloud, story.id, lambda story: len(story.breaks) >= DELIVERIES)
    deliveries = [hop for hop in story.hops if short(hop) == "timeline"]
    narrator.claim(
        f"The stream tried it {len(deliveries)} times, and then put it aside in a queue "
        "(PostsPutAside), where somebody can look at it.",
        len(deliveries) == DELIVERIES
        and {hop.position.get("sequenceNumber") for hop in deliveries} == {aside},
    )
    return story


def in_a_browser(
    narrator: Narrator, ending: Ending, cloud: LocalCloud, story: Story, *, opens: bool
) -> None:
    """The last story as a page, until somebody interrupts."""
    narrator.head("The same in a browser")
    command = [sys.executable, "-m", "clew", "ui", "--local", cloud.name, "--port", "0"]
    command += ["--open", f"/story/{story.id}"]
    with subprocess.Popen(  # noqa: S603 - our own command line
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the demo, which ends it
    ) as ui:
        try:
            url = ui.stdout.readline().rpartition(" ")[2].strip() if ui.stdout else ""
            if not url:
                problem = ui.stderr.read().strip() if ui.stderr else ""
                narrator.say(f"The page could not be served. {problem}")
                return
            narrator.say("This story, and all that the functions log from now on, is at")
            narrator.verbatim(url)
            narrator.say("Ctrl-C ends it.")
            if opens:
                open_browser(url)
            ui.wait()
        except KeyboardInterrupt:
            ending.asked = 0  # this is how it is meant to end
        finally:
            ui.terminate()


def post(narrator: Narrator, cloud: LocalCloud, *, debug: bool, **more: str) -> requests.Response:
    """Send a post to api-a, and show how."""
    url, body = cloud.outputs["PostsUrl"], {**POST, **more}
    headers = {"user-agent": CLIENT, "debug-log-enabled": str(debug).lower()}
    options = " ".join(f"-H '{name}: {value}'" for name, value in headers.items())
    shown = json.dumps(body).replace(', "new_follower"', ',\n       "new_follower"')
    narrator.verbatim(f"curl -i {url} \\\n  {options} \\\n  -d '{shown}'")
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    if answer.status_code != requests.codes.accepted:
        raise NotAsToldError(f"api-a answered {answer.status_code}, {answer.text[:300]}")
    return answer


def follow(
    narrator: Narrator,
    cloud: LocalCloud,
    answer: requests.Response,
    complete: Callable[[Story], bool],
) -> Story:
    """Find the story of an answered request, and print it as ``clew story`` does."""
    correlation_id = answer.headers.get("x-correlation-id", "")
    narrator.claim(
        f"Answered {answer.status_code}, x-correlation-id: {correlation_id}", bool(correlation_id)
    )
    with narrator.console.status("waiting for the last function's log"):
        story = found(cloud, correlation_id, complete)
    narrator.say(f"\nThe logs under that id (as `clew story {correlation_id[:8]}` shows them):\n")
    print_story(story, narrator.console)
    narrator.say()
    return story


def found(cloud: LocalCloud, correlation_id: str, complete: Callable[[Story], bool]) -> Story:
    """The story, once it is ``complete``; as it is, if it does not become so."""
    deadline = time.monotonic() + WAIT_S
    story = find_story(cloud, correlation_id, wait_s=WAIT_S)
    while not complete(story) and time.monotonic() < deadline:
        time.sleep(0.2)
        story = find_story(cloud, correlation_id, wait_s=WAIT_S)
    return story


def put_aside(cloud: LocalCloud) -> str:
    """The sequence number of the record in the queue, once there is one; "" if none comes."""
    queue = cloud.outputs["PutAsideUrl"]
    answer = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=int(WAIT_S))
    for message in answer.get("Messages", ()):
        batch = json.loads(message["Body"])["KinesisBatchInfo"]
        return str(batch["startSequenceNumber"])
    return ""


def short(hop: Hop) -> str:
    """A function's name without that of the stack."""
    return hop.function.removeprefix(f"{STACK}-")


def ids(hop: Hop) -> dict[str, Any]:
    """The ids on the last of a hop's lines."""
    return dict(hop.lines[-1].ids) if hop.lines else {}


def ids_above(story: Story, hop: Hop) -> dict[str, Any]:
    """The ids of the hop that sent this one."""
    return ids(story.hop(hop.above)) if hop.above is not None else {}


def debug_lines(story: Story) -> int:
    """How many DEBUG lines a story has."""
    return sum(line.level == "DEBUG" for hop in story.hops for line in hop.lines)


if __name__ == "__main__":
    sys.exit(main())
