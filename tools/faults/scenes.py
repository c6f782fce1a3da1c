"""What is broken, and how: one function for each set that is recorded."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from typing import Any

import requests

from faults.sets import ROOT
from faults.stage import QUIET_S, Stage

THROTTLED = "ProvisionedThroughputExceededException"
BAD_SPOT = "the shelf is empty"

Scene = Callable[[Stage], "str | None"]
SCENES: dict[str, tuple[Scene, str, float]] = {}


def scene(what: str, quiet_s: float = QUIET_S) -> Callable[[Scene], Scene]:
    """Record what a function does, under its name; it gives the request's id.

    ``what`` is said of the set; it is over when nothing was logged for ``quiet_s``.
    """

    def add(function: Scene) -> Scene:
        name = function.__name__.removeprefix("_").replace("_", "-")
        SCENES[name] = function, what, quiet_s
        return function

    return add


def said(words: str) -> list[Any]:
    """A step that logs."""
    return ["log", words]


# What ends a function.


@scene("prices kills its own process, on each of three deliveries", 5)
def _killed(stage: Stage) -> str:
    return stage.order(["invoke", "PRICES", [said("counting the shelves"), ["kill"]], "Event"])


@scene("slow sleeps past its timeout of two seconds; clew saw it coming")
def _timed_out(stage: Stage) -> str:
    return stage.order(["try", ["invoke", "SLOW", [said("asking the supplier"), ["sleep", 9]]]])


@scene("slow stands still with all its threads until Lambda ends it")
def _timed_out_without_clew_noticing(stage: Stage) -> str:
    # The whole process stands still, clew's watch over its time as well.
    return stage.order(["try", ["invoke", "SLOW", [said("asking the supplier"), ["stop"]]]])


@scene("prices takes memory until Python has none left")
def _out_of_memory(stage: Stage) -> str:
    return stage.order(["try", ["invoke", "PRICES", [said("loading all prices"), ["exhaust"]]]])


@scene("prices raises; the edge catches that")
def _raised(stage: Stage) -> str:
    plan = [["debug", "the card as it came"], said("charging"), ["fail", "the card was refused"]]
    return stage.order(["try", ["invoke", "PRICES", plan]])


@scene("the only subscriber of a topic cannot be imported", 5)
def _failed_at_import(stage: Stage) -> str:
    return stage.order(["sns", "BROKEN", [said("never")]])


@scene("the function that is invoked cannot be imported")
def _failed_at_import_and_asked(stage: Stage) -> str:
    return stage.order(["try", ["invoke", "DAMAGED", []]])


# What nobody received.


@scene("the topic has no subscription any more")
def _subscription_removed(stage: Stage) -> str:
    with stage.without_subscription("Letters"):
        return stage.order(said("writing a letter"), ["sns", "LETTERS", []])


@scene("both subscriptions have a filter policy that does not match")
def _filtered_out(stage: Stage) -> str:
    return stage.order(["sns", "ORDERED", [said("mailed")], "refund"])


@scene("nobody reads the queue")
def _still_in_a_queue(stage: Stage) -> str:
    return stage.order(["sqs", "WISHES", [said("wished")]])


@scene("billing fails twice, and SQS moves the message to the dead-letter queue", 4)
def _redriven_by_sqs(stage: Stage) -> str:
    return stage.order(["sqs", "INVOICES", [["fail", "no such customer"]]])


# Dead letters.


@scene("booker gives up after three attempts and writes a dead letter")
def _dead_letter(stage: Stage) -> str:
    return stage.order(["kinesis", "LEDGER", [["fail", "the book is closed"]]])


@scene("the dead letter is redriven to the stream, and is booked")
def _redriven_and_delivered(stage: Stage) -> str:
    request = stage.order(
        ["kinesis", "LEDGER", [["fail", "the book was closed", 3], said("booked")]]
    )
    stage.until(stage.has("shop-booker", "dead-lettered"), "a dead letter")
    stage.redrive("Spoiled", request)
    stage.until(stage.has("shop-booker", "booked"), "its second life")
    return request


@scene("the dead letter is redriven to the stream, and given up again")
def _redriven_and_failed_again(stage: Stage) -> str:
    request = stage.order(["kinesis", "LEDGER", [["fail", "the book has no pages"]]])
    stage.until(stage.has("shop-booker", "dead-lettered"), "a dead letter")
    stage.redrive("Spoiled", request)
    stage.until(stage.has("shop-booker", "dead-lettered", 2), "another one")
    return request


@scene("examples/timeline: a picture is given up, and given up for good by its retry handler", 6)
def _second_chance(stage: Stage) -> str:
    return _picture(stage)


@scene("nightly fails twice, and Lambda tells rescue, its on-failure destination")
def _on_failure_destination(stage: Stage) -> str:
    request = stage.order(["invoke", "NIGHTLY", [["fail", "the night is too short"]], "Event"])
    stage.until(stage.has("shop-rescue", '"message":"invocation"'), "the destination")
    return request


# What could not be sent.


@scene("Kinesis throttles the first attempt, and takes the second")
def _throttled_and_retried(stage: Stage) -> str:
    with stage.cloud.faults.during("kinesis", "PutRecord", error=THROTTLED, rate=0.5, seed=1):
        return stage.order(["again", 3, ["kinesis", "CLICKS", [said("tracked")]]])


@scene("Kinesis throttles all three attempts")
def _throttled_and_given_up(stage: Stage) -> str:
    with stage.cloud.faults.during("kinesis", "PutRecord", error=THROTTLED):
        return stage.order(["try", ["again", 3, ["kinesis", "CLICKS", [said("tracked")]]]])


@scene("SQS throttles")
def _queue_throttled(stage: Stage) -> str:
    with stage.cloud.faults.during("sqs", "SendMessage", error="RequestThrottled"):
        return stage.order(["try", ["sqs", "WISHES", []]])


@scene("SNS refuses: no permission")
def _topic_refused(stage: Stage) -> str:
    with stage.cloud.faults.during("sns", "Publish", error="AuthorizationError"):
        return stage.order(["try", ["sns", "ORDERED", []]])


@scene("Lambda throttles the invocation")
def _invoke_throttled(stage: Stage) -> str:
    with stage.cloud.faults.during("lambda", "Invoke", error="TooManyRequestsException"):
        return stage.order(["try", ["invoke", "PRICES", []]])


# What was asked over HTTP.


@scene("stock answers 503 without having failed")
def _answered_500(stage: Stage) -> str:
    return stage.order(["try", ["post", "STOCK_URL", [said("no stock"), ["respond", 503]]]])


@scene("stock raises, the edge is answered 500 and raises in turn")
def _failed_behind_http(stage: Stage) -> str:
    return stage.order(["post", "STOCK_URL", [said("counting"), ["fail", BAD_SPOT]]])


@scene("stock takes three seconds, the edge waits one")
def _no_answer_in_time(stage: Stage) -> str:
    return stage.order(["try", ["post", "STOCK_URL", [said("counting"), ["sleep", 3]], 1]])


@scene("nobody listens at the next function's address")
def _connection_refused(stage: Stage) -> str:
    with socket.socket() as nobody:  # a port that is bound, and that nobody listens to
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/stock"
        return stage.order(["try", ["post", url, []]])


# Batches, and several ways at once.


@scene(
    "one of three records fails: bisected, and put aside in a queue that no log tells of",
    5,
)
def _poison_record(stage: Stage) -> str:
    good = [said("tracked")]
    stage.order(["kinesis", "CLICKS", good])
    poison = stage.order(["kinesis", "CLICKS", [["fail", "a click on nothing"]]])
    stage.order(["kinesis", "CLICKS", good])
    stage.until(stage.has("shop-tracker", "a click on nothing", 6), "the bisected batch")
    return poison


@scene("the story of a record that was in a batch with a poisonous one", 5)
def _beside_a_poison_record(stage: Stage) -> str:
    """The story of one that was in the batch with it."""
    plan = [said("tracked")]
    beside = stage.order(["kinesis", "CLICKS", plan])
    stage.order(["kinesis", "CLICKS", [["fail", "a click on nothing"]]])
    stage.until(stage.has("shop-tracker", "a click on nothing", 3), "the bisected batch")
    return beside


@scene("five requests come in one batch", 4)
def _fan_in(stage: Stage) -> str:
    ids = [stage.order(["kinesis", "CLICKS", [said(f"click {n}")]]) for n in range(5)]
    return ids[2]


@scene("one request to two subscribers and ten messages, one of which fails once")
def _fan_out(stage: Stage) -> str:
    # Both of the topic, ten in the queue, and one of them has nobody to bill.
    lines = [[said(f"line {n}")] for n in range(9)]
    return stage.order(
        ["sns", "ORDERED", [said("told")]],
        ["sqs", "INVOICES", *lines, [["fail", "nobody to bill", 1]]],
    )


@scene("three branches at once; the messages at their ends stay in a queue")
def _parallel_branches(stage: Stage) -> str:
    deeper = [said("priced"), ["sns", "ORDERED", [said("mailed"), ["sqs", "WISHES", []]]]]
    return stage.order(
        ["invoke", "PRICES", deeper, "Event"],
        ["post", "STOCK_URL", [["invoke", "PRICES", [said("priced again")]]]],
        ["invoke", "SLOW", [["fail", "too late", 1], said("not too late")], "Event"],
    )


@scene("prices fails twice, and Lambda's third attempt succeeds", 5)
def _async_retried(stage: Stage) -> str:
    return stage.order(["invoke", "PRICES", [["fail", "not yet", 2], said("now")], "Event"])


@scene("prices fails three times, and there is no destination", 5)
def _async_given_up(stage: Stage) -> str:
    return stage.order(["invoke", "PRICES", [["fail", "no price"]], "Event"])


@scene("both subscribers of a topic fail", 6)
def _raised_twice_on_a_topic(stage: Stage) -> str:
    return stage.order(["sns", "ORDERED", [["fail", "no such address"]]])


@scene("one of two parallel branches of a state machine fails")
def _step_functions_branch(stage: Stage) -> str:
    plans = {"reserve": [said("reserved")], "charge": [["fail", "no funds"]]}
    return stage.order(["start", plans])


@scene("both targets of an EventBridge rule fail", 6)
def _rule_with_two_targets(stage: Stage) -> str:
    return stage.order(["event", [said("stored"), ["fail", "a bad parcel", 1]]])


@scene("an item comes out of the table's stream")
def _table_stream(stage: Stage) -> str:
    return stage.order(["item", "order-1"])


@scene("an object's notification brings its metadata's ids")
def _object_stored(stage: Stage) -> str:
    return stage.order(["upload", "receipts/1.txt"])


@scene("circle sends to itself until CLEW_MAX_CHAIN", 6)
def _loop_stopped(stage: Stage) -> str:
    plan: Any = [said("the end of the ring")]
    for _ in range(6):
        plan = [said("round"), ["sns", "RING", plan]]
    return stage.order(["sns", "RING", plan])


# What has no clew.


@scene("a function without clew takes a message from a topic and invokes another with it", 4)
def _gap(stage: Stage) -> str:
    return stage.order(["sns", "LEGACY", [said("billed")]])


@scene("a function without clew logs the id as text, and as JSON under a name of its own")
def _only_an_id(stage: Stage) -> str:
    return stage.order(["sns", "LETTERS", []])


@scene("prices takes four seconds", 8)
def _slow_but_done(stage: Stage) -> str:
    plan = [said("wrapping"), ["sleep", 4], said("wrapped")]
    return stage.order(["invoke", "PRICES", plan, "Event"])


@scene("the second function has not logged a line yet", 0)
def _nothing_logged_yet(stage: Stage) -> str:
    """It is read while the last function is busy; the local cloud logs at its end."""
    request = stage.order(["sns", "ORDERED", [said("wrapping"), ["sleep", 6]]])
    stage.until(stage.has("shop-edge", '"message":"invocation"'), "the edge's end")
    return request


# The examples.


def _picture(stage: Stage) -> str:
    """A post that nobody can place, with a second chance that does not help."""
    folder = stage.work / "timeline"
    if not folder.exists():
        shutil.copytree(ROOT / "examples" / "timeline", folder)
    stack = stage.stack(
        "feed", folder / "template.yaml", Policy="retry", SecondChance="yes", SecondChanceAfter="1s"
    )
    table: Any = stage.cloud.session().resource("dynamodb").Table(stack.outputs["FollowersTable"])
    table.put_item(Item={"author": "arya", "follower": "bran"})
    post = {"author": "arya", "picture": "https://example.com/direwolf.png"}
    answer = requests.post(stack.outputs["PostsUrl"], json=post, timeout=30)
    stage.until(stage.has("feed-second-chance", "dead-lettered"), "no third chance")
    return str(answer.headers["x-correlation-id"])


def publish(stage: Stage, **more: str) -> str:
    stack = stage.stack("posts", ROOT / "examples" / "correlation" / "template.yaml")
    post = {"author": "tywin", "text": "Hear me roar.", **more}
    answer = requests.post(stack.outputs["PostsUrl"], json=post, timeout=30)
    return str(answer.headers["x-correlation-id"])


@scene("examples/correlation: a post", 4)
def _nothing_broke(stage: Stage) -> str:
    return publish(stage)


@scene("examples/correlation: a profile that timeline cannot cope with, three deliveries", 6)
def _a_broken_profile(stage: Stage) -> str:
    request = publish(stage, new_follower="jaqen")
    stage.until(stage.has("posts-timeline", '"outcome":"failed"', 3), "three deliveries")
    return request
