"""What a request went through without a trace is named where it can be proved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .runtime import Run, story_of

if TYPE_CHECKING:
    from clew.correlation import Correlation
    from clew.invocation import Sent


def took(function: str, at: float, chain: int, *, answers: Sent | str) -> tuple[Run, Correlation]:
    """A function that is so far down the chain, and logs."""
    run = Run(function, at=at)
    own = run.receive(answers=answers)
    run.log(own.with_ids({"call-chain-length": str(chain)}), "here", at=at + 1)
    return run, own


def edge(sends: int = 1) -> tuple[Run, list[Sent]]:
    run = Run("edge", source="aws:apigateway")
    own = run.receive()
    run.log(own.with_ids({"call-chain-length": "1"}), "here")
    sent = [
        run.send(own, "lambda", f"f{number}", "Invoke", position={"invocationType": "Event"}, at=5)
        for number in range(sends)
    ]
    run.end()
    return run, sent


def test_a_log_group_that_is_missing_is_found_by_the_length_of_the_chain() -> None:
    first, _ = edge()
    far, _ = took("far", 50, 3, answers="00000000000000aa")
    far.end()
    told = story_of(first, far)
    (gap,) = told.gaps
    assert (gap.kind, gap.function, gap.hops) == ("sender not in the logs", "far", (2,))
    assert "when edge invoked the function f0 at 03:04:05.005 UTC" in gap.sentence
    assert told.breaks == ()
    assert told.awaited_since_ms() is None


def test_where_it_may_have_been_one_or_the_other_both_are_missed() -> None:
    first, _ = edge(sends=2)
    far, _ = took("far", 50, 3, answers="00000000000000aa")
    far.end()
    told = story_of(first, far)
    assert len(told.breaks) == 2
    assert "when edge" not in told.gaps[0].sentence


def test_somebody_elses_trace_at_the_edge_is_no_gap() -> None:
    run, _ = took("edge", 0, 1, answers="00000000000000aa")
    run.end()
    assert story_of(run).gaps == ()


def test_what_came_another_way_was_passed_on() -> None:
    first, (sent,) = edge()
    other = Run("other", at=50, source="aws:kinesis")
    other.receive(answers=sent)
    other.end()
    told = story_of(first, other)
    (gap,) = told.gaps
    assert gap.kind == "passed on"
    assert gap.sentence.startswith("What edge invoked the function f0 came to other by Kinesis at")
    assert told.breaks == ()


def test_a_function_without_clew_that_logs_the_id_is_named() -> None:
    first, _ = edge()
    bare = Run("bare", at=70)
    bare.text(json.dumps({"msg": "got it", "request": "request-1"}))
    bare.text("INFO request-1 is here", at=71)
    bare.text("INFO request-10 is another", at=72)
    told = story_of(first, bare)
    (gap,) = told.gaps
    assert gap.kind == "no clew"
    assert "65 ms after edge invoked the function f0" in gap.sentence
    hop = told.hop(2)
    assert [text.message for text in hop.texts] == ["INFO request-1 is here"]
    assert [line.fields["msg"] for line in hop.lines] == ["got it"]
    assert told.breaks == ()


def test_a_print_with_the_id_goes_to_the_hop_of_its_stream() -> None:
    run, _ = took("f", 5, 2, answers="")
    run.text("request-1 printed", at=6)
    run.end()
    told = story_of(run)
    (hop,) = told.hops
    assert [text.message for text in hop.texts] == ["request-1 printed"]
    assert told.gaps == ()
