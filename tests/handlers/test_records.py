"""Handlers of SNS and Kinesis: one record at a time, or the whole batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from capture.events import (
    FIELDS,
    REQUEST_ID,
    Context,
    attributes,
    kinesis,
    kinesis_record,
    packed,
    sns,
    with_context,
)
from log.lines import Line, invocation, logged, warnings

DATA = '{ "name": "Тайвин", "n": 1.50, "e": 1E2 }'.encode()
log = clew.get_logger("tests.records")


def stream(*ids: str) -> dict[str, Any]:
    """A batch with one record per id."""
    return kinesis(*(with_context(DATA, {**FIELDS, "x-correlation-id": one}) for one in ids))


def outcomes(lines: list[Line]) -> list[tuple[str, str, int]]:
    received = invocation(lines)["received"]
    return [(one["id"], one["outcome"], one["attempts"]) for one in received]


def test_a_stream_handler_never_sees_what_clew_added() -> None:
    seen: list[Any] = []

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        seen.append(record)

    names = ("__context", "__context__")
    payloads = [with_context(DATA, FIELDS, name) for name in names]
    with logged() as lines:
        each(kinesis(*payloads, DATA, b"text"), Context())
    assert [record.data for record in seen] == [DATA, DATA, DATA, b"text"]
    assert [record.payload for record in seen] == [*[json.loads(DATA)] * 3, b"text"]
    assert warnings(lines) == []


@pytest.mark.parametrize("carried", [attributes(FIELDS), packed(json.dumps(FIELDS))])
def test_a_message_handler_never_sees_what_clew_added(carried: dict[str, Any]) -> None:
    text = DATA.decode()
    seen: list[clew.SnsRecord] = []
    handler = clew.sns_handler(seen.append)
    with logged() as lines:
        handler(sns(text, carried), Context())
    (record,) = seen
    assert (record.payload, record.data) == (text, DATA)
    assert set(record.attributes) == {"Test", "TestBinary"}
    assert outcomes(lines) == [("the-request", "done", 1)]
    assert invocation(lines)["received"][0]["messageId"] == record.message_id


def test_each_record_has_its_own_correlation_in_force() -> None:
    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        assert clew.current() is record.correlation
        clew.bind(**{record.correlation.id: 1})
        log.info("inside", extra={"mine": record.correlation.id})
        record.logger.info("beside", extra={"mine": record.correlation.id})

    with logged() as lines:
        assert each(stream("a", "b"), Context()) == {"batchItemFailures": []}
    told = [line for line in lines if "mine" in line]
    assert [(one["mine"], one["x-correlation-id"]) for one in told] == [
        *[("a", "a")] * 2,
        *[("b", "b")] * 2,
    ]
    assert not any("x-correlation-a" in line for line in told if line["mine"] == "b")
    assert outcomes(lines) == [("a", "done", 1), ("b", "done", 1)]
    wide = invocation(lines)
    assert wide["x-correlation-id"] == REQUEST_ID
    assert [one["span"] for one in wide["received"]] == [told[0]["spanId"], told[2]["spanId"]]
    assert [one["sequenceNumber"][-1] for one in wide["received"]] == ["0", "1"]


def test_halt_stops_at_the_first_failure() -> None:
    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        if record.correlation.id == "b":
            raise KeyError("b")

    event = stream("a", "b", "c")
    with logged() as lines:
        answer = each(event, Context())
    number = event["Records"][1]["kinesis"]["sequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert outcomes(lines) == [("a", "done", 1), ("b", "returned", 1), ("c", "returned", 0)]
    assert invocation(lines)["outcome"] == "ok"
    assert invocation(lines)["received"][1]["error"] == "KeyError: 'b'"


def test_halt_raises_where_the_mapping_reads_no_answer() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), report=False)
    def each(record: clew.KinesisRecord) -> None:
        if record.correlation.id == "b":
            raise KeyError("b")

    with logged() as lines, pytest.raises(KeyError):
        each(stream("a", "b", "c"), Context())
    assert outcomes(lines) == [("a", "done", 1), ("b", "failed", 1), ("c", "returned", 0)]
    assert invocation(lines)["outcome"] == "error"
    assert invocation(lines)["received"][1]["error"] == "KeyError: 'b'"


def test_skip_logs_the_failure_and_goes_on() -> None:
    @clew.kinesis_handler(on_failure=clew.skip())
    def each(record: clew.KinesisRecord) -> None:
        log.debug("held", extra={"mine": record.correlation.id})
        if record.correlation.id == "b":
            raise KeyError("b")

    with logged() as lines:
        assert each(stream("a", "b", "c"), Context()) == {"batchItemFailures": []}
    assert outcomes(lines) == [("a", "done", 1), ("b", "skipped", 1), ("c", "done", 1)]
    wide = invocation(lines)
    assert (wide["outcome"], wide["level"]) == ("ok", "INFO")
    held, skipped = lines[0], lines[1]
    assert (held["mine"], held["flightRecorder"]) == ("b", True), "only that record's are written"
    assert (skipped["level"], skipped["message"]) == ("ERROR", "record skipped")
    assert skipped["x-correlation-id"] == "b"
    assert skipped["exception"]["type"] == "KeyError"
    assert skipped["sequenceNumber"] == wide["received"][1]["sequenceNumber"]
    assert len(lines) == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_skip_does_not_swallow_what_ends_a_process(error: BaseException) -> None:
    @clew.kinesis_handler(on_failure=clew.skip())
    def each(record: clew.KinesisRecord) -> None:
        raise error

    with logged() as lines, pytest.raises(type(error)) as raised:
        each(stream("a", "b"), Context())
    assert raised.value is error
    assert outcomes(lines) == [("a", "failed", 1), ("b", "returned", 0)]


def test_a_batch_handler_gets_the_whole_list() -> None:
    @clew.kinesis_handler(batch=True, on_failure=clew.halt())
    def many(records: list[clew.KinesisRecord]) -> dict[str, Any]:
        assert clew.current().id == REQUEST_ID
        for record in records:
            with clew.use(record.correlation):
                log.info("inside")
        log.info("outside")
        return {"batchItemFailures": []}

    with logged() as lines:
        assert many(stream("a", "b"), Context()) == {"batchItemFailures": []}
    told = [line["x-correlation-id"] for line in lines if line["logger"] == "tests.records"]
    assert told == ["a", "b", REQUEST_ID]
    assert outcomes(lines) == [("a", "done", 1), ("b", "done", 1)]


def test_a_batch_that_fails_fails_whole() -> None:
    @clew.kinesis_handler(batch=True, on_failure=clew.halt())
    def many(records: list[clew.KinesisRecord]) -> None:
        raise KeyError("a")

    event = stream("a", "b")
    with logged() as lines:
        answer = many(event, Context())
    number = event["Records"][0]["kinesis"]["sequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert outcomes(lines) == [("a", "returned", 1), ("b", "returned", 1)]


def test_on_failure_has_to_be_said() -> None:
    with pytest.raises(TypeError, match="on_failure"):
        clew.kinesis_handler()  # type: ignore[call-arg]
    with pytest.raises(clew.ClewError, match="on_failure has to be"):
        clew.kinesis_handler(on_failure="skip")  # type: ignore[arg-type]
    with pytest.raises(clew.ClewError, match="batch=True"):
        clew.kinesis_handler(batch=True, lanes=2, on_failure=clew.skip())


def test_an_empty_batch_is_nothing_to_do() -> None:
    seen: list[Any] = []
    with logged() as lines:
        clew.kinesis_handler(on_failure=clew.halt())(seen.append)({"Records": []}, Context())
        clew.sns_handler(seen.append)({"Records": []}, Context())
    assert seen == []
    assert [line["received"] for line in lines] == [[], []]
    assert [line["source"] for line in lines] == ["aws:kinesis", "aws:sns"]


@pytest.mark.parametrize(
    ("event", "raws"),
    [
        ({"Records": [None, 7, "text", [], {}]}, [None, 7, "text", [], {}]),
        ({"Records": "text"}, [{"Records": "text"}]),
        ({"key1": "a test from the console"}, [{"key1": "a test from the console"}]),
        ("text", ["text"]),
        (None, [None]),
    ],
)
def test_what_is_no_batch_is_handed_over_all_the_same(event: Any, raws: list[Any]) -> None:
    """Passing over it in silence would lose it."""
    for batch in (False, True):
        seen: list[Any] = []
        keep = seen.extend if batch else seen.append
        handler = clew.kinesis_handler(batch=batch, on_failure=clew.halt())(keep)
        with logged() as lines:
            handler(event, Context())
        assert [record.raw for record in seen] == raws
        (warning,) = warnings(lines)
        assert warning["problem"] == "this is no event of aws:kinesis"
        assert {one[1] for one in outcomes(lines)} == {"done"}
    seen = []
    with logged() as lines:
        clew.sns_handler(seen.append)(event, Context())
    assert [record.raw for record in seen] == raws
    assert len(warnings(lines)) == 1


def test_one_warning_for_all_that_is_wrong_in_a_batch() -> None:
    bad = with_context(DATA, {**FIELDS, "x-correlation-id": "\n"})
    event = {
        "Records": [
            kinesis_record(with_context(DATA, FIELDS), 0),
            *(kinesis_record("%%%", number) for number in range(1, 4)),
            *(kinesis_record(bad, number) for number in range(4, 9)),
            7,
        ]
    }
    seen: list[clew.KinesisRecord] = []

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        assert record.correlation.id == clew.current().id
        seen.append(record)

    with logged() as lines:
        each(event, Context())
    (warning,) = warnings(lines)
    assert (warning["dropped"], warning["problems"]) == (5, 4)
    assert warning["problem"] == "a record's data is not base64"
    assert [record.data for record in seen] == [DATA, *[b"%%%"] * 3, *[DATA] * 5, b""]
    ids = [record.correlation.id for record in seen]
    assert ids == ["the-request", *(f"{REQUEST_ID}-{number}" for number in range(1, 10))]
