"""Deliveries of one source, one after the other, until all is settled: what holds in each of them.

The machine puts records, delivers what is left by the rules of the source, with little time or with
much, with a dead-letter target that takes letters or refuses them, and functions that fail as they
are told. What clew did is compared with what the source's contract says, not with clew's own code.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import clew
from clew.streams import deadline, drive, lanes, letters, outbox, steps, tasks, whole
from clew.streams.policy import Retry
from log.lines import invocation, logged

from .making import MAKERS, event, left_over, number_of
from .test_delivery import HANDLERS, POLICIES, Target

RAISE, FAIL, EXIT, OK = "raise", "fail", "exit", "ok"
HOWS = ("one at a time", "lanes", "async", "async lanes", "batch", "async batch")
LANES = 3
#: What a call takes, in the seconds of a clock that only calls move.
CALL_S = 1.0
PLENTY_S = 1000.0


class Ended(BaseException):
    """What ends a process."""


class Context:
    """A context with so much time."""

    function_name, function_version, aws_request_id = "timeline", "7", "a-request"

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda counts, at the start of an invocation."""
        return int(self.left_s * 1000)


class Deliveries(RuleBasedStateMachine):
    """One source, one handler, and all that came of its records."""

    @initialize(
        kind=st.sampled_from(list(MAKERS)),
        how=st.sampled_from(HOWS),
        policy=st.sampled_from(list(POLICIES)),
    )
    def begin(self, kind: str, how: str, policy: str) -> None:
        self.kind, self.how = kind, how
        self.policy = POLICIES[policy]
        self.keys: list[str] = []
        self.turns: dict[int, list[str]] = {}
        #: What the source still has to deliver, in order.
        self.backlog: list[dict[str, Any]] = []
        #: Outcomes of deliveries that the source took as final.
        self.settled: dict[int, list[str]] = defaultdict(list)
        self.first_done: list[int] = []
        #: Records that were given up, also in deliveries that came to nothing.
        self.given_up: set[int] = set()
        self.lock = threading.Lock()
        #: Records that were called when the time was up; to raise there would only be a failure.
        self.too_late: list[int] = []
        self.clock = 0.0
        self.stop_at = 0.0
        function: Any = {
            "batch": self.many,
            "async batch": self.many_async,
        }.get(how, self.each_async if "async" in how else self.each)
        options: dict[str, Any] = {"batch": True} if "batch" in how else {}
        options |= {"lanes": LANES} if "lanes" in how else {}
        self.handler = HANDLERS[kind](on_failure=self.policy, **options)(function)

    # the user's function

    def turn(self, record: Any) -> str:
        with self.lock:
            number = number_of(record)
            late_s = (LANES - 1) * CALL_S if self.how == "lanes" else 0.0
            if self.clock >= self.stop_at + late_s:
                self.too_late.append(number)
            turns = self.turns[number]
            found = turns.pop(0) if turns else OK
            self.calls.append((number, found))
            return found

    def spend(self) -> None:
        with self.lock:
            self.clock += CALL_S

    def take(self, record: Any) -> None:
        found = self.turn(record)
        self.spend()
        if found == RAISE:
            raise KeyError(number_of(record))
        if found == EXIT:
            raise Ended
        if found == FAIL:
            record.fail("as told")

    def each(self, record: Any) -> None:
        self.take(record)

    async def each_async(self, record: Any) -> None:
        self.take(record)

    def many(self, records: list[Any]) -> None:
        failed = []
        for record in records:
            found = self.turn(record)
            if found == EXIT:
                raise Ended
            if found == RAISE:
                failed.append(record)
            elif found == FAIL:
                record.fail("as told")
        self.spend()
        if failed:
            raise clew.PartialFailure(failed, "as told")

    async def many_async(self, records: list[Any]) -> None:
        self.many(records)

    # what happens

    @rule(
        key=st.sampled_from(["a", "bb", "ccc", "dddd"]),
        turns=st.lists(st.sampled_from([RAISE, RAISE, FAIL, EXIT, OK]), max_size=4),
    )
    def put(self, key: str, turns: list[str]) -> None:
        """A record comes into the source."""
        number = len(self.keys)
        self.keys.append(str(number) if self.kind == "sqs" else key)
        self.turns[number] = turns
        self.backlog.append(MAKERS[self.kind](number, self.keys[number]))

    @precondition(lambda self: self.backlog)
    @rule(
        size=st.integers(1, 12),
        left_s=st.sampled_from([0.0, 3.0, 6.0, PLENTY_S, PLENTY_S]),
        refusals=st.lists(st.booleans(), max_size=6),
    )
    def deliver(self, size: int, left_s: float, refusals: list[bool]) -> None:
        """The source gives the function the first of what it has."""
        raws, later = self.backlog[:size], self.backlog[size:]
        if self.kind == "kafka":  # an event has them by partition
            raws = [raw for group in event(raws)["records"].values() for raw in group]
        self.calls: list[tuple[int, str]] = []
        target = Target(list(refusals))
        answer, received = self.invoke(raws, left_s, target)
        if answer is None:
            return  # it ended the process: nothing is taken out of the source
        numbers = [self.number(raw) for raw in raws]
        outcomes = dict(zip(numbers, (one["outcome"] for one in received), strict=True))
        returned = [number for number in numbers if outcomes[number] == "returned"]
        self.check_outcomes(outcomes, received, target)
        self.check_what_was_run(numbers, returned, left_s)
        self.check_answer(answer, raws, returned)
        again = left_over(self.kind, raws, answer)
        assert {self.number(raw) for raw in again} >= set(returned), "a record was lost"
        for raw in raws:
            if raw not in again:
                self.settled[self.number(raw)].append(outcomes[self.number(raw)])
        in_order = sorted([*again, *later], key=self.number)
        self.backlog = in_order if self.kind == "kafka" else [*again, *later]

    def invoke(
        self, raws: list[dict[str, Any]], left_s: float, target: Target
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        write_s = outbox.FIRST_GUESS_S if "dead" in repr(self.policy) else 0.0
        margin_s = min(deadline.REPORT_S + 2 * write_s, left_s / 2)
        self.stop_at = self.clock + left_s - margin_s
        with ExitStack() as stack:
            for module in (deadline, drive, steps, lanes, letters, tasks, whole):
                stack.enter_context(patch.object(module, "clock", lambda: self.clock))
            stack.enter_context(patch.object(outbox, "write", target.write))
            # What other tests' letters took says nothing here.
            stack.enter_context(patch.dict(outbox._slowest, clear=True))
            lines = stack.enter_context(logged())
            try:
                answer = self.handler(event(raws), Context(left_s))
            except Ended:
                answer = None
        assert not self.too_late
        done = [number for number, found in self.calls if found == OK]
        self.first_done += [n for n in dict.fromkeys(done) if n not in self.first_done]
        ended = any(found == EXIT for _, found in self.calls)
        assert (answer is None) == ended, "what ends a process comes out, and nothing else"
        received = invocation(lines)["received"]
        for raw, one in zip(raws, received, strict=True):
            if one["outcome"] in ("skipped", "dead-lettered"):
                self.given_up.add(self.number(raw))
        return answer, received

    # what holds

    def check_outcomes(
        self, outcomes: dict[int, str], received: list[dict[str, Any]], target: Target
    ) -> None:
        """Each record has one outcome, and it is true."""
        calls: dict[int, list[str]] = defaultdict(list)
        for number, found in self.calls:
            calls[number].append(found)
        chain = self.policy.chain()
        most = chain[0].times + 1 if isinstance(chain[0], Retry) and chain[0].times else 1
        last = chain[-1].kind
        for (number, outcome), one in zip(outcomes.items(), received, strict=True):
            had = calls[number]
            assert one["attempts"] == len(had) <= most
            assert OK not in had[:-1], "it was called again although it was done"
            assert (outcome == "done") == (had[-1:] == [OK])
            if outcome == "skipped":
                assert last == "skip"
                assert len(had) == most
            elif outcome == "dead-lettered":
                assert last == "dead_letter"
                assert len(had) == most
            else:
                assert outcome in ("done", "returned")
        assert sorted(target.taken) == [n for n, one in outcomes.items() if one == "dead-lettered"]

    def check_what_was_run(self, numbers: list[int], returned: list[int], left_s: float) -> None:
        """Nothing that has to stay behind a record that is returned, or for which time is short."""
        if not left_s:
            assert not self.calls
            assert returned == numbers
        if "batch" in self.how:
            return
        called = list(dict.fromkeys(number for number, _ in self.calls))
        for key in set(self.keys):
            of_key = [number for number in numbers if self.keys[number] == key]
            order = [number for number in called if self.keys[number] == key]
            assert order == [number for number in of_key if number in called], "the order of a key"
            stopped = next((at for at, n in enumerate(of_key) if n in returned), len(of_key))
            assert of_key[stopped:] == [number for number in of_key if number in returned], (
                "behind a record that is returned, its key goes no further"
            )
            assert not {*of_key[stopped + 1 :]} & {*called}
        whole_shard = self.kind in ("kinesis", "dynamodb") and "lanes" not in self.how
        if whole_shard and returned and self.policy.chain()[-1].kind != "dead_letter":
            assert numbers.index(returned[0]) + len(returned) == len(numbers)
            assert not {*returned[1:]} & {*called}

    def check_answer(
        self, answer: dict[str, Any], raws: list[dict[str, Any]], returned: list[int]
    ) -> None:
        """What is named is what the source's contract asks for, and no more."""
        named = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        of_returned = [raw for raw in raws if self.number(raw) in returned]
        if self.kind == "kinesis":
            assert named == [raw["kinesis"]["sequenceNumber"] for raw in of_returned[:1]]
        elif self.kind == "dynamodb":
            assert named == [raw["dynamodb"]["SequenceNumber"] for raw in of_returned[:1]]
        elif self.kind == "kafka":
            lowest: dict[str, int] = {}
            for raw in of_returned:
                partition = f"{raw['topic']}-{raw['partition']}"
                lowest[partition] = min(raw["offset"], lowest.get(partition, raw["offset"]))
            assert {one["partition"]: one["offset"] for one in named} == lowest
            assert len(named) == len(lowest)
        else:
            assert named == [raw["messageId"] for raw in of_returned]

    def number(self, raw: dict[str, Any]) -> int:
        """Which record a raw one is."""
        if self.kind == "kafka":
            return int(raw["offset"])
        if self.kind == "dynamodb":
            return int(raw["dynamodb"]["SequenceNumber"])
        if self.kind == "kinesis":
            return int(raw["kinesis"]["sequenceNumber"][-4:])
        return int(raw["messageId"].partition("-")[2])

    def teardown(self) -> None:
        """Deliver what is left, with time and a target that takes all, until nothing is."""
        if not hasattr(self, "keys"):
            return
        for _ in range(100):
            if not self.backlog:
                break
            self.deliver(12, PLENTY_S, [])
        assert not self.backlog, "it never ended"
        for number, key in enumerate(self.keys):
            (outcome,) = self.settled[number]
            assert outcome in ("done", "skipped", "dead-lettered"), f"{number} of {key}"
        if "batch" not in self.how:
            for key in set(self.keys):
                done = [
                    n for n in self.first_done if self.keys[n] == key and n not in self.given_up
                ]
                assert done == sorted(done), f"the records of {key} were done as {done}"


Deliveries.TestCase.settings = settings(max_examples=60, stateful_step_count=14)
TestDeliveries = Deliveries.TestCase
