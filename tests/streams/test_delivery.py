"""What holds for every batch, however its records fail: nothing is lost, and order is kept.

Batches of every source are delivered again and again by the rules of that source, until it has
nothing left. Records fail as often as they are told to, and dead letters are refused by turns.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clew
from clew.streams import outbox
from log.lines import invocation, logged

from .making import MAKERS, Context, event, left_over, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

HANDLERS = {
    "kinesis": clew.kinesis_handler,
    "dynamodb": clew.dynamodb_handler,
    "sqs": clew.sqs_handler,
    "fifo": clew.sqs_handler,
    "kafka": clew.kafka_handler,
}
DEAD = clew.dead_letter("arn:aws:sqs:us-east-1:000000000000:dead")
POLICIES = {
    "halt": clew.halt(),
    "skip": clew.skip(),
    "dead letter": DEAD,
    "retry, halt": clew.retry(1, backoff=0, then=clew.halt()),
    "retry, skip": clew.retry(1, backoff=0, then=clew.skip()),
    "retry, dead letter": clew.retry(1, backoff=0, then=DEAD),
}
#: How a record fails: it raises, it says so, or it does not fail.
RAISE, FAIL, OK = "raise", "fail", "ok"
FINAL = {"done", "skipped", "dead-lettered", "returned"}


class Target:
    """Takes dead letters, or refuses them by turns."""

    def __init__(self, refusals: list[bool]) -> None:
        self.refusals = refusals
        self.taken: list[int] = []

    def write(self, policy: Any, letters: list[outbox.Letter]) -> list[str]:
        """As `outbox.write`."""
        problems = []
        for letter in letters:
            refused = bool(self.refusals and self.refusals.pop(0))
            problems.append("refused" if refused else "")
            if not refused:
                self.taken.append(number_of(letter.envelope.record()))
        return problems


class World:
    """A function whose records fail as they are told, and what happened to it."""

    def __init__(self, keys: list[str], behaviour: dict[int, list[str]]) -> None:
        self.keys = keys
        self.behaviour = {number: list(turns) for number, turns in behaviour.items()}
        self.calls: list[int] = []
        self.done: list[int] = []
        self.running: Counter[str] = Counter()
        self.most = 0
        self.lock = threading.Lock()

    def turn(self, record: Any) -> str:
        """What the next attempt of a record does."""
        with self.lock:
            number = number_of(record)
            self.calls.append(number)
            turns = self.behaviour.get(number)
            return turns.pop(0) if turns else OK

    def begin(self, record: Any) -> None:
        """A record of its key is in hand: no other one may be."""
        with self.lock:
            key = self.keys[number_of(record)]
            self.running[key] += 1
            assert self.running[key] == 1, f"two records of {key} at once"
            self.most = max(self.most, sum(self.running.values()))

    def end(self, record: Any, turn: str) -> None:
        """It is not any more."""
        with self.lock:
            self.running[self.keys[number_of(record)]] -= 1
            if turn == OK:
                self.done.append(number_of(record))

    def each(self, record: Any) -> None:
        """The user's function."""
        assert clew.current() is record.correlation
        self.begin(record)
        turn = self.turn(record)
        time.sleep(0)  # another lane's turn
        self.end(record, turn)
        if turn == RAISE:
            raise KeyError(number_of(record))
        if turn == FAIL:
            record.fail("as told")

    async def each_async(self, record: Any) -> None:
        """The user's function, as a coroutine."""
        import asyncio

        assert clew.current() is record.correlation
        self.begin(record)
        turn = self.turn(record)
        await asyncio.sleep(0)
        assert clew.current() is record.correlation
        self.end(record, turn)
        if turn == RAISE:
            raise KeyError(number_of(record))
        if turn == FAIL:
            record.fail("as told")


def deliver(
    kind: str, world: World, handler: Callable[..., Any], target: Target
) -> dict[int, list[str]]:
    """Deliver until nothing is left: the outcomes of each record, in order."""
    raws = [MAKERS[kind](number, key) for number, key in enumerate(world.keys)]
    outcomes: dict[int, list[str]] = defaultdict(list)
    for _ in range(200):
        if not raws:
            return outcomes
        with patch.object(outbox, "write", target.write), logged() as lines:
            answer = handler(event(raws), Context())
        received = invocation(lines)["received"]
        if kind == "kafka":  # the event has them by partition
            raws = [raw for group in event(raws)["records"].values() for raw in group]
        assert len(received) == len(raws)
        again = left_over(kind, raws, answer)
        for raw, one in zip(raws, received, strict=True):
            assert one["outcome"] in FINAL
            outcomes[_number(kind, raw)].append(one["outcome"])
            if one["outcome"] == "returned":
                assert raw in again, "a record that was returned is not delivered again"
        raws = again
    raise AssertionError("it never ended")


def _number(kind: str, raw: Any) -> int:
    if kind == "kafka":
        return int(raw["offset"])
    if kind == "dynamodb":
        return int(raw["dynamodb"]["SequenceNumber"])
    if kind == "kinesis":
        return int(raw["kinesis"]["sequenceNumber"][-4:])
    return int(raw["messageId"].partition("-")[2])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Target]:
    keys = draw(st.lists(st.sampled_from(["a", "bb", "ccc"]), min_size=1, max_size=9))
    turns = st.lists(st.sampled_from([RAISE, FAIL]), min_size=1, max_size=4)
    behaviour = draw(st.dictionaries(st.integers(0, len(keys) - 1), turns, max_size=4))
    return World(keys, behaviour), Target(draw(st.lists(st.booleans(), max_size=6)))


@pytest.mark.parametrize("how", ["one at a time", "lanes", "async", "async lanes"])
@pytest.mark.parametrize("kind", list(MAKERS))
@settings(max_examples=40, deadline=None)
@given(made=worlds(), policy=st.sampled_from(list(POLICIES)))
def test_nothing_is_lost_and_order_is_kept(
    kind: str, how: str, made: tuple[World, Target], policy: str
) -> None:
    world, target = made
    if kind == "sqs":  # a standard queue has no order
        world.keys = [str(number) for number in range(len(world.keys))]
    lanes = 2 if "lanes" in how else None
    function = world.each_async if "async" in how else world.each
    handler = HANDLERS[kind](on_failure=POLICIES[policy], lanes=lanes)(function)
    outcomes = deliver(kind, world, handler, target)

    assert world.most <= (lanes or 1)
    for number in range(len(world.keys)):
        ended = [one for one in outcomes[number] if one != "returned"]
        assert ended, f"record {number} was lost"
    assert {n for n, found in outcomes.items() if "done" in found} == set(world.done)
    assert {n for n, found in outcomes.items() if "dead-lettered" in found} == set(target.taken)
    first_done = list(dict.fromkeys(world.done))
    for key in set(world.keys):
        of_key = [n for n in first_done if world.keys[n] == key]
        given_up = {n for n, found in outcomes.items() if {"skipped", "dead-lettered"} & set(found)}
        kept = [n for n in of_key if n not in given_up]
        assert kept == sorted(kept), f"the records of {key} were done as {of_key}"


@pytest.mark.parametrize("kind", list(MAKERS))
@settings(max_examples=40, deadline=None)
@given(
    made=worlds(), policy=st.sampled_from(list(POLICIES)), how=st.sampled_from(["fail", "raise"])
)
def test_nothing_of_a_whole_batch_is_lost(
    kind: str, made: tuple[World, Target], policy: str, how: str
) -> None:
    world, target = made

    def many(records: list[Any]) -> None:
        failed = {record: "as told" for record in records if world.turn(record) != OK}
        world.done += [number_of(record) for record in records if record not in failed]
        if failed and how == "raise":
            raise clew.PartialFailure(failed)
        for record, reason in failed.items():
            record.fail(reason)

    handler = HANDLERS[kind](on_failure=POLICIES[policy], batch=True)(many)
    outcomes = deliver(kind, world, handler, target)
    for number in range(len(world.keys)):
        assert [one for one in outcomes[number] if one != "returned"], f"{number} was lost"
    assert {n for n, found in outcomes.items() if "done" in found} == set(world.done)
    assert {n for n, found in outcomes.items() if "dead-lettered" in found} == set(target.taken)


@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_halt_runs_nothing_behind_the_failure(kind: str) -> None:
    world = World(list("abababab" + "ab"), {1: [RAISE]})
    handler = HANDLERS[kind](on_failure=clew.halt())(world.each)
    raws = [MAKERS[kind](number, key) for number, key in enumerate(world.keys)]
    with logged() as lines:
        answer = handler(event(raws), Context())
    assert world.calls == [0, 1], "record 2 of 10 fails, and records 3 to 10 are not run"
    assert len(answer["batchItemFailures"]) == 1
    assert left_over(kind, raws, answer) == raws[1:]
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["done"] + ["returned"] * 9


def test_a_failing_key_stops_its_own_lane_only() -> None:
    world = World(list("abcabcabc"), {1: [RAISE]})
    handler = clew.kinesis_handler(on_failure=clew.halt(), lanes=2)(world.each)
    raws = [MAKERS["kinesis"](number, key) for number, key in enumerate(world.keys)]
    with logged() as lines:
        answer = handler(event(raws), Context())
    assert sorted(world.done) == [0, 2, 3, 5, 6, 8]
    assert left_over("kinesis", raws, answer) == raws[1:]
    outcomes = [one["outcome"] for one in invocation(lines)["received"]]
    assert outcomes == ["done", "returned", "done"] * 3


def test_a_message_group_stops_and_the_others_go_on() -> None:
    world = World(list("abab"), {0: [RAISE]})
    handler = clew.sqs_handler(on_failure=clew.halt())(world.each)
    raws = [MAKERS["fifo"](number, key) for number, key in enumerate(world.keys)]
    with logged():
        answer = handler(event(raws), Context())
    assert world.calls == [0, 1, 3]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [
        "message-0",
        "message-2",
    ]


def test_a_partition_is_named_by_its_lowest_offset() -> None:
    world = World(["a", "bb", "a", "bb", "ccc"], {0: [RAISE], 3: [RAISE]})
    handler = clew.kafka_handler(on_failure=clew.halt())(world.each)
    raws = [MAKERS["kafka"](number, key) for number, key in enumerate(world.keys)]
    with logged():
        answer = handler(event(raws), Context())
    assert world.calls == [0, 1, 3]
    assert answer["batchItemFailures"] == [
        {"itemIdentifier": {"partition": "posts-1", "offset": 0}},
        {"itemIdentifier": {"partition": "posts-0", "offset": 3}},
    ]
