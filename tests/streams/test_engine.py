"""The engine: deadline, what ends a process, failures of clew's own, decoding, what is logged."""

from __future__ import annotations

import time
from typing import Any

import pytest

import clew
from clew.streams import drive, steps
from log.lines import invocation, logged, warnings

from .making import (
    Context,
    event,
    first_left_over,
    number_of,
    outcomes,
    said,
    sqs,
    stream_of,
)


class Clock:
    """A context whose time is what the test says."""

    function_name, function_version, aws_request_id = "f", "1", "r"

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left_s * 1000)


def test_it_stops_while_there_is_time_to_report() -> None:
    seen: list[int] = []

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        seen.append(number_of(record))
        time.sleep(0.1)

    with logged() as lines:
        answer = each(stream_of(100), Context(timeout_s=1.0))
    assert 1 <= len(seen) < 9
    assert first_left_over(answer) == len(seen)
    assert outcomes(lines) == ["done"] * len(seen) + ["returned"] * (100 - len(seen))
    (warning,) = warnings(lines)
    assert warning["returned"] == 100 - len(seen)
    assert warning["why"] == "the function's time is nearly up"


def test_a_wait_that_would_pass_the_deadline_returns_the_record() -> None:
    @clew.kinesis_handler(on_failure=clew.retry(5, backoff="1m", then=clew.skip()))
    def each(record: clew.KinesisRecord) -> None:
        raise KeyError(number_of(record))

    with logged() as lines:
        answer = each(stream_of(3), Context(timeout_s=5))
    assert first_left_over(answer) == 0
    assert outcomes(lines) == ["returned"] * 3, "none is given up, as there are attempts left"


@pytest.mark.parametrize("lanes", [None, 3])
@pytest.mark.parametrize("policy", [clew.skip(), clew.retry(2, backoff=0, then=clew.skip())])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_process_comes_out(error: BaseException, policy: Any, lanes: Any) -> None:
    @clew.kinesis_handler(on_failure=policy, lanes=lanes)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise error

    with logged() as lines, pytest.raises(type(error)) as raised:
        each(stream_of(3), Context())
    assert raised.value is error
    assert outcomes(lines) == ["done", "failed", "returned"], "Lambda delivers all of them again"


def test_memory_that_runs_out_is_the_records_failure() -> None:
    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise MemoryError

    with logged() as lines:
        assert first_left_over(each(stream_of(3), Context())) == 1
    assert outcomes(lines) == ["done", "returned", "returned"]


@pytest.mark.parametrize("lanes", [None, 2])
@pytest.mark.parametrize("broken", ["decide", "say", "log"])
def test_a_failure_of_clews_own_returns_the_records(
    broken: str, lanes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("clew's own")

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=lanes)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise KeyError

    if broken == "decide":
        monkeypatch.setattr(steps, "decide", fail)
    elif broken == "say":
        monkeypatch.setattr("clew.streams.batch.say", fail)
    else:
        monkeypatch.setattr("clew.log.logger.RecordLogger.error", fail, raising=False)
    with logged() as lines:
        answer = each(stream_of(4), Context())
    if broken == "log":
        assert first_left_over(answer) is None, "a line that cannot be written loses nothing"
        assert outcomes(lines) == ["done", "skipped", "done", "done"]
    else:
        assert first_left_over(answer) == 1
        assert outcomes(lines) == ["done"] + ["returned"] * 3
    assert any("clew failed while" in line["message"] for line in warnings(lines))


def test_an_engine_that_breaks_returns_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    @clew.kinesis_handler(on_failure=clew.skip())
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise KeyError

    monkeypatch.setattr(drive, "_settle", fail)
    with logged() as lines:
        answer = each(stream_of(4), Context())
    assert first_left_over(answer) == 1
    assert outcomes(lines) == ["done"] + ["returned"] * 3


def test_a_decoder_that_raises_fails_its_own_record_only() -> None:
    attempts: list[int] = []
    seen: list[Any] = []

    def decode(data: bytes) -> Any:
        attempts.append(1)
        if b"1" in data:
            raise ValueError("no post")
        return data.decode()

    policy = clew.retry(3, backoff=0, then=clew.skip())

    @clew.kinesis_handler(on_failure=policy, decode=decode)
    def each(record: clew.KinesisRecord) -> None:
        seen.append(record.decoded)

    @clew.kinesis_handler(on_failure=policy, decode=decode, batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        seen.extend(record.decoded for record in records)

    for handler in (each, many):
        seen.clear()
        attempts.clear()
        with logged() as lines:
            handler(stream_of(3), Context())
        assert seen == ['{"n": 0}', '{"n": 2}']
        assert len(attempts) == 3, "what cannot be decoded is not tried again"
        assert outcomes(lines) == ["done", "skipped", "done"]
        assert invocation(lines)["received"][1]["error"] == "ValueError: no post"


def test_each_failure_is_told_under_its_own_ids() -> None:
    log = clew.get_logger("tests.engine")

    @clew.kinesis_handler(on_failure=clew.retry(1, backoff=0, then=clew.skip()))
    def each(record: clew.KinesisRecord) -> None:
        log.debug("what DEBUG would say", extra={"mine": number_of(record)})
        if number_of(record) == 1:
            raise KeyError("b")

    with logged() as lines:
        each(stream_of(3), Context())
    (again,) = said(lines, "record failed, trying again")
    (skipped,) = said(lines, "record skipped")
    held = said(lines, "what DEBUG would say")
    span = invocation(lines)["received"][1]["span"]
    assert {again["spanId"], skipped["spanId"]} == {span}
    assert (again["level"], again["attempts"], again["error"]) == ("WARNING", 1, "KeyError: 'b'")
    assert (skipped["level"], skipped["attempts"]) == ("ERROR", 2)
    assert skipped["exception"]["type"] == "KeyError"
    assert [(one["mine"], one["flightRecorder"]) for one in held] == [(1, True)] * 2


def test_a_policy_that_needs_more_time_than_there_is_says_so_once() -> None:
    policy = clew.retry(2, within="30s", then=clew.skip())
    handler = clew.kinesis_handler(on_failure=policy)(lambda record: None)
    enough = clew.kinesis_handler(on_failure=policy)(lambda record: None)
    with logged() as lines:
        for _ in range(3):
            handler(stream_of(1), Clock(3))
            enough(stream_of(1), Clock(60))
    (warning,) = warnings(lines)
    assert "retry(within='30s') is longer than the function may run (3 s)" in warning["message"]


def test_without_reports_the_first_error_is_raised_and_the_others_logged() -> None:
    @clew.sqs_handler(on_failure=clew.halt(), report=False)
    def each(record: clew.SqsRecord) -> None:
        if number_of(record) in (1, 2):
            raise KeyError(number_of(record))

    with logged() as lines, pytest.raises(KeyError, match="1"):
        each(event([sqs(number, "") for number in range(4)]), Context())
    (other,) = said(lines, "record returned")
    assert other["exception"]["message"] == "2"
    assert outcomes(lines) == ["done", "failed", "failed", "done"]


def test_without_reports_what_is_left_over_is_an_error() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), report=False)
    def each(record: clew.KinesisRecord) -> None:
        time.sleep(0.2)

    with logged(), pytest.raises(clew.ClewError, match="records were not run, and come again"):
        each(stream_of(100), Context(timeout_s=0.5))
