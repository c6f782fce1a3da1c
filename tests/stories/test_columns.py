"""The columns of a batch as entries, whatever stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.stories.lines import Invocation, RawLine, ReceivedEntry, SentEntry
from clew.stories.parse import parse

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GROUP: dict[str, Any] = {
    "span": "fffffffffffffffe",
    "shardId": "shardId-0",
    "places": [[0, 1], [2, 2]],
    "microseconds": [1500, 0, 7],
    "sequenceNumbers": ["10", "12", "13"],
    "ids": ["a", "b", "c"],
    "traceparents": [f"00-{TRACE}-{PARENT}-01"] * 3,
}


def entries(*groups: Any) -> list[ReceivedEntry]:
    line = {
        "message": "invocation",
        "logger": "clew",
        "x-correlation-id": "the-batch",
        "received": [],
        "done": list(groups),
        "sent": [],
    }
    found = parse(RawLine(1, "/aws/lambda/f", "s", json.dumps(line)))
    assert isinstance(found, Invocation)
    return list(found.received)


def test_each_row_is_an_entry() -> None:
    first, second, third = entries(GROUP)
    assert first == ReceivedEntry(
        span="fffffffffffffffe",
        parent=PARENT,
        trace=TRACE,
        id="a",
        outcome="done",
        attempts=1,
        ms=1.5,
        position={"shardId": "shardId-0", "sequenceNumber": "10"},
        error="",
    )
    assert (second.span, second.id) == ("0000000000000001", "b"), "no span is all zeros"
    assert (third.span, third.id, third.ms) == ("0000000000000001", "c", 0.007)


def test_records_that_came_without_ids_are_named_by_their_place() -> None:
    fresh = {name: GROUP[name] for name in GROUP if name not in ("ids", "traceparents")}
    found = entries({**fresh, "id": "request-1"})
    assert [one.id for one in found] == ["request-1-0", "request-1-2", "request-1-3"]
    assert {(one.trace, one.parent) for one in found} == {("", "")}
    assert {one.id for one in entries(fresh)} == {"the-batch"}


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("places", [[0, 10**5]], 3),
        ("places", [[0, 10**9]], 0),
        ("places", [[0, 2], "x", [5, 1]], 2),
        ("places", [[-1, 3]], 0),
        ("places", [[True, 3]], 0),
        ("places", None, 0),
        ("microseconds", [1, 2], 2),
        ("microseconds", [None, -1, 1e300], 3),
        ("microseconds", {}, 0),
        ("sequenceNumbers", [1, None, {}], 3),
        ("ids", [1, "\x1b[2J", "a" * 257], 3),
        ("ids", "abc", 0),
        ("traceparents", [None, "nonsense", f"00-{'0' * 32}-{PARENT}-01"], 3),
        ("span", "x", 3),
        ("span", f"+{'1' * 15}", 3),
        ("span", None, 3),
        ("shardId", 7, 3),
    ],
)
def test_what_does_not_fit_is_left_out(name: str, value: object, count: int) -> None:
    found = entries({**GROUP, name: value})
    assert len(found) == count
    for one in found:
        assert one.id.isprintable()
        assert all(isinstance(text, str) for text in one.position.values())
        if name == "ids":
            assert one.id == "the-batch"
        if name == "traceparents":
            assert (one.trace, one.parent) == ("", "")
        if name == "span":
            assert one.span == ""


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GROUP, "id"]), JSON), JSON)
def test_nothing_in_them_makes_it_raise(changed: dict[str, Any], other: Any) -> None:
    assert len(entries({**GROUP, **changed}, other)) <= 20


SENT: dict[str, Any] = {
    "service": "kinesis",
    "operation": "PutRecords",
    "span": "1000000000000000",
    "count": 3,
    "id": "a",
    "outcome": "ok",
    "shardIds": ["s0", "s1", "s0"],
    "sequenceNumbers": ["1", "2", "3"],
}


def sends(entry: Any) -> list[SentEntry]:
    line = {"message": "invocation", "logger": "clew", "sent": [entry]}
    found = parse(RawLine(1, "/aws/lambda/f", "s", json.dumps(line)))
    assert isinstance(found, Invocation)
    return list(found.sent)


def test_an_entry_with_a_count_stands_for_as_many_messages() -> None:
    found = sends(SENT)
    assert [one.span[-1] for one in found] == ["0", "1", "2"]
    assert [dict(one.position) for one in found] == [
        {"shardId": "s0", "sequenceNumber": "1"},
        {"shardId": "s1", "sequenceNumber": "2"},
        {"shardId": "s0", "sequenceNumber": "3"},
    ]
    assert {(one.service, one.id, one.outcome) for one in found} == {("kinesis", "a", "ok")}


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("count", 10**9, 0),
        ("count", -1, 0),
        ("count", True, 0),
        ("count", None, 0),
        ("span", "x", 0),
        ("shardIds", ["s0"], 3),
        ("shardIds", [1, None, {}], 3),
        ("sequenceNumbers", "123", 3),
    ],
)
def test_a_count_that_does_not_fit_is_not_believed(name: str, value: object, count: int) -> None:
    assert len(sends({**SENT, name: value})) == count


@given(st.dictionaries(st.sampled_from([*SENT, "outcomes", "s"]), JSON))
def test_no_entry_that_was_sent_makes_it_raise(changed: dict[str, Any]) -> None:
    assert len(sends({**SENT, **changed})) <= 10_000
