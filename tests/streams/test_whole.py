"""Functions that take whole batches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import clew
from log.lines import logged

from .making import (
    Context,
    event,
    first_left_over,
    kinesis,
    number_of,
    outcomes,
    said,
    stream_of,
)


def test_a_batch_function_may_name_the_failures_as_lambda_has_them() -> None:
    """As functions do that were written for batchItemFailures: they stop at the first one."""
    raws = [kinesis(number, "a") for number in range(4)]
    calls: list[list[int]] = []

    @clew.kinesis_handler(on_failure=clew.retry(1, backoff=0, then=clew.halt()), batch=True)
    def many(records: list[clew.KinesisRecord]) -> Any:
        calls.append([number_of(record) for record in records])
        for record in records:
            if number_of(record) == 2:
                failed = {"itemIdentifier": record.sequence_number}
                return {"batchItemFailures": [failed], "state": {"sum": 1}}
        return None

    with logged() as lines:
        answer = many(event(raws), Context())
    assert calls == [[0, 1, 2, 3], [2, 3]]
    assert first_left_over(answer) == 2
    assert answer["state"] == {"sum": 1}, "what a tumbling window needs is passed on"
    assert outcomes(lines) == ["done", "done", "returned", "returned"]


@pytest.mark.parametrize("named", [[{"itemIdentifier": "other"}], [{}], ["x"], "all"])
def test_a_batch_function_that_names_no_record_failed_whole(named: Any) -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> Any:
        return {"batchItemFailures": named}

    with logged() as lines:
        assert first_left_over(many(stream_of(2), Context())) == 0
    assert outcomes(lines) == ["returned"] * 2


@pytest.mark.parametrize("way", ["fail", "PartialFailure", "mapping"])
@pytest.mark.parametrize("is_error", [False, True])
def test_a_reason_without_a_text_fails_its_record_only(way: str, *, is_error: bool) -> None:
    class Odd(BaseException if is_error else object):  # type: ignore[misc]
        def __str__(self) -> str:
            raise RuntimeError

    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        if way == "fail":
            reason: Any = Odd()
            records[1].fail(reason)
        elif way == "mapping":
            raise clew.PartialFailure({records[1]: Odd()})
        else:
            raise clew.PartialFailure([records[1]], Odd())

    with logged() as lines:
        assert first_left_over(many(stream_of(3), Context())) is None
    assert outcomes(lines) == ["done", "skipped", "done"]
    (line,) = said(lines, "record skipped")
    assert "its text raised RuntimeError" in line["exception"]["message"]


def test_a_batch_that_fails_whole_is_told_once() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        raise KeyError("all")

    with logged() as lines:
        assert first_left_over(many(stream_of(50), Context())) == 0
    assert len(said(lines, "record returned")) == 1


def test_a_partial_failure_of_another_batch_means_all() -> None:
    others: list[Any] = []

    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def many(records: list[clew.KinesisRecord]) -> None:
        if others:
            raise clew.PartialFailure(others)
        others.extend(records)

    with logged():
        assert first_left_over(many(stream_of(2), Context())) is None
        assert first_left_over(many(stream_of(2), Context())) == 0


def test_an_async_batch_is_cancelled_in_time_and_what_ends_a_process_comes_out() -> None:
    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    async def slow(records: list[clew.KinesisRecord]) -> None:
        await asyncio.sleep(60)

    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    async def ends(records: list[clew.KinesisRecord]) -> None:
        raise SystemExit(3)

    with logged() as lines:
        assert first_left_over(slow(stream_of(2), Context(timeout_s=0.5))) == 0
    assert outcomes(lines) == ["returned"] * 2
    with logged() as lines, pytest.raises(SystemExit):
        ends(stream_of(2), Context())
    assert outcomes(lines) == ["failed"] * 2
