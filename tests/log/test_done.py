"""A large batch is written in columns, which say what an entry for each would have said."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import clew
from capture.contexts import contexts
from capture.events import FIELDS, Context, kinesis
from clew.log.wide import FROM
from clew.stories.gather import gather
from clew.stories.lines import RawLine
from clew.stories.parse import read

from .lines import invocation, logged

if TYPE_CHECKING:
    from clew.stories.lines import ReceivedEntry

MANY = FROM + 5


def sent(context: Any, number: int = 0) -> bytes:
    return json.dumps({"__context": context, "n": number}).encode()


def batch(count: int = MANY, **fields: str) -> list[bytes]:
    return [sent({**FIELDS, "x-correlation-id": f"r-{n}", **fields}, n) for n in range(count)]


def run(
    payloads: list[Any], function: Any = lambda _: None, **options: Any
) -> tuple[list[dict[str, Any]], list[ReceivedEntry]]:
    """The wide lines of a batch, and the entries that a story reads in them."""
    options.setdefault("on_failure", clew.skip())
    with logged() as lines:
        clew.kinesis_handler(**options)(function)(kinesis(*payloads), Context())
    wide = [line for line in lines if line["message"] == "invocation"]
    raws = [RawLine(1, "/aws/lambda/f", "s", json.dumps(line)) for line in wide]
    (one,) = read(raws).invocations
    return wide, sorted(one.received, key=lambda entry: entry.position["sequenceNumber"])


def test_a_large_batch_has_columns_and_a_small_one_entries() -> None:
    (wide,), entries = run(batch())
    assert wide["received"] == []
    (group,) = wide["done"]
    assert group["places"] == [[0, MANY]]
    assert group["ids"] == [f"r-{n}" for n in range(MANY)]
    assert group["traceparents"] == [FIELDS["traceparent"]] * MANY
    assert group["shardId"] == "shardId-000000000006"
    assert len(group["sequenceNumbers"]) == len(group["microseconds"]) == MANY
    assert [entry.id for entry in entries] == group["ids"]
    (small,), _ = run(batch(FROM - 1))
    assert "done" not in small
    assert len(small["received"]) == FROM - 1


def seen_by(entries: list[ReceivedEntry]) -> list[Any]:
    """The entries but for what no two runs have in common."""
    return [(one.outcome, one.attempts, one.position, one.error) for one in entries]


def logging(record: clew.KinesisRecord) -> None:
    if record.sequence_number[-1] in "13":
        clew.get_logger("function").info("looked at")
    if record.sequence_number[-1] == "5":
        raise ValueError


@settings(max_examples=60)
@given(found=st.lists(contexts(), max_size=6), looks=st.booleans())
@example(found=[{**FIELDS, "x-correlation-id": '"'}, {**FIELDS, "tracestate": "a=1"}], looks=True)
@example(found=[{}, {"traceparent": FIELDS["traceparent"]}], looks=False)
def test_columns_say_what_entries_say(found: list[Any], looks: bool) -> None:
    function = logging if looks else lambda _: None
    payloads = [*map(sent, found), b"no JSON", b"{}", *batch()]
    spans: dict[str, str] = {}

    def each(record: clew.KinesisRecord) -> None:
        spans[record.sequence_number] = record.span_id
        function(record)

    _, in_columns = run(payloads, each)
    with patch("clew.handlers.run.FROM", 10**6):
        (wide, *_), as_entries = run(payloads, function)
    assert "done" not in wide
    for one in in_columns:
        assert one.span == spans.get(one.position["sequenceNumber"], one.span)
    assert seen_by(in_columns) == seen_by(as_entries)
    for one, other in zip(in_columns, as_entries, strict=True):
        assert one.id == other.id
        assert one.parent == other.parent
        # A record that came without a trace, and that nobody looked at, has none.
        assert one.trace == other.trace or not one.parent


def test_records_that_came_without_ids_have_them_in_columns_too() -> None:
    (wide,), entries = run([b'{"a":1}'] * MANY)
    (group,) = wide["done"]
    assert "ids" not in group
    assert [one.id for one in entries] == [f"{Context.aws_request_id}-{n}" for n in range(MANY)]


def test_a_record_that_came_without_ids_and_was_looked_at_has_an_entry() -> None:
    traces: list[str] = []

    def each(record: clew.KinesisRecord) -> None:
        if record.place == 7:
            traces.append(clew.current().trace_id)

    (wide,), _ = run([b'{"a":1}'] * MANY, each)
    (entry,) = wide["received"]
    assert [entry["trace"]] == traces
    assert wide["done"][0]["places"] == [[0, 7], [8, MANY - 8]]


def test_whatever_failed_was_skipped_or_never_reached_has_an_entry() -> None:
    def each(record: clew.KinesisRecord) -> None:
        if record.place in (3, 9):
            raise ValueError("no")

    (wide,), _ = run(batch(), each)
    assert [one["outcome"] for one in wide["received"]] == ["skipped", "skipped"]
    assert wide["done"][0]["places"] == [[0, 3], [4, 5], [10, MANY - 10]]
    (wide,), entries = run(batch(), each, on_failure=clew.halt())
    assert [one.outcome for one in entries[:4]] == ["done"] * 3 + ["returned"]
    assert len(wide["received"]) == MANY - 3


def test_a_record_that_is_said_to_have_failed_after_its_turn_has_an_entry_that_counts() -> None:
    seen: list[clew.KinesisRecord] = []

    def each(record: clew.KinesisRecord) -> None:
        seen.append(record)
        if record.place == 70:
            seen[2].fail("too late")

    (wide,), _ = run(batch(80), each, on_failure=clew.halt())
    (entry,) = wide["received"]
    assert (entry["id"], entry["outcome"]) == ("r-2", "returned")
    lines = read([RawLine(1, "/aws/lambda/f", "s", json.dumps(wide))])
    (hop,) = gather(lines, "r-2").hops
    assert hop.outcome == "returned"


def test_a_whole_batch_has_columns() -> None:
    def many(records: list[clew.KinesisRecord]) -> None:
        assert [one.payload["n"] for one in records] == [*range(MANY)]

    (wide,), _ = run(batch(), many, batch=True, on_failure=clew.halt())
    assert wide["received"] == []
    assert wide["done"][0]["places"] == [[0, MANY]]


def test_a_chain_that_goes_in_a_circle_is_skipped_in_its_turn() -> None:
    payloads = batch()
    payloads[4] = sent({**FIELDS, "call-chain-length": "50"})
    handled: list[int] = []
    (wide,), _ = run(payloads, lambda record: handled.append(record.place))
    assert handled == [n for n in range(MANY) if n != 4]
    (entry,) = wide["received"]
    assert (entry["outcome"], entry["attempts"]) == ("skipped", 0)


def test_records_of_several_shards_are_not_taken_for_one() -> None:
    event = kinesis(*batch())
    event["Records"][3]["eventID"] = f"shardId-9:{event['Records'][3]['kinesis']['sequenceNumber']}"
    event["Records"][4]["eventID"] = "nonsense"
    with logged() as lines:
        clew.kinesis_handler(on_failure=clew.halt())(lambda _: None)(event, Context())
    wide = invocation(lines)
    assert [one.get("shardId") for one in wide["received"]] == ["shardId-9", "nonsense"]
    assert wide["done"][0]["places"] == [[0, 3], [5, MANY - 5]]


@pytest.mark.parametrize("length", [1, 250])
def test_the_largest_batch_fits_its_lines(length: int) -> None:
    count = 3000
    payloads = [
        sent({**FIELDS, "x-correlation-id": str(n).rjust(length if n % 100 else 256, "i")})
        for n in range(count)
    ]
    wide, entries = run(payloads)
    assert [line["chunk"] for line in wide] == [*range(1, len(wide) + 1)]
    assert len(wide) > 1
    assert [entry.id for entry in entries] == [
        json.loads(one)["__context"]["x-correlation-id"] for one in payloads
    ]
    assert sum(len(line["received"]) for line in wide) == 0


def test_a_record_that_was_taken_down_is_what_it_was() -> None:
    kept: list[clew.KinesisRecord] = []
    ids: list[str] = []

    def each(record: clew.KinesisRecord) -> None:
        kept.append(record)
        ids.append(record.correlation.id)

    run(batch(), each)
    assert [record.payload["n"] for record in kept] == [*range(MANY)]
    assert [record.correlation.id for record in kept] == ids == [f"r-{n}" for n in range(MANY)]
    assert [json.loads(record.data) for record in kept] == [{"n": n} for n in range(MANY)]


def test_nothing_of_a_batch_is_left_for_the_garbage_collector() -> None:
    import gc
    import weakref

    alive: list[weakref.ref[Any]] = []

    class Marked(str):
        __slots__ = ("__weakref__",)

    @clew.kinesis_handler(on_failure=clew.skip())
    def each(record: clew.KinesisRecord) -> None:
        clew.get_logger("function").debug("held")
        if record.place == 3:
            clew.get_logger("function").info("looked at")
        if record.place == 5:
            raise ValueError("no")

    gc.collect()
    gc.disable()
    try:
        for payloads in (batch(), batch(3)):
            event = kinesis(*payloads)
            marked = event["Records"][0]["eventID"] = Marked(event["Records"][0]["eventID"])
            alive.append(weakref.ref(marked))
            with logged():
                each(event, Context())
            del event, marked
        assert [one() for one in alive] == [None, None]
    finally:
        gc.enable()


def test_what_is_not_base64_is_handed_over_in_a_large_batch_too() -> None:
    event = kinesis(*batch())
    event["Records"][2]["kinesis"]["data"] = "%%%"
    event["Records"][3]["kinesis"]["data"] = b64encode(b'{"a":NaN}').decode()
    seen: list[Any] = []
    with logged():
        clew.kinesis_handler(on_failure=clew.halt())(lambda one: seen.append(one.payload))(
            event, Context()
        )
    assert seen[2] == b"%%%"
    assert str(seen[3]) == "{'a': nan}"
    assert seen[4] == {"n": 4}
