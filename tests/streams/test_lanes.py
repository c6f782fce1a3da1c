"""Lanes: threads and tasks, what hangs in them, and the ids in each."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import clew
from log.lines import invocation, logged

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

if TYPE_CHECKING:
    from conftest import Until


def test_a_record_that_hangs_is_returned_and_its_thread_gets_no_other(until: Until) -> None:
    go_on = threading.Event()
    ended: list[int] = []

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=2)
    def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            go_on.wait(60)
        ended.append(number_of(record))

    with logged() as lines:
        answer = each(stream_of(6, "abcabc"), Context(timeout_s=1.5))
    assert first_left_over(answer) == 1
    assert sorted(ended) == [0, 2, 3, 5]
    assert outcomes(lines) == ["done", "returned", "done"] * 2
    go_on.set()
    until(lambda: 1 in ended, "the thread goes on")
    assert outcomes(lines)[1] == "returned", "what it does then changes nothing that was reported"
    until(
        lambda: not [one for one in threading.enumerate() if one.name.startswith("clew-lane")],
        "the thread ends",
    )
    assert sorted(ended) == [0, 1, 2, 3, 5]


def test_a_coroutine_that_hangs_is_cancelled_and_returned() -> None:
    cancelled: list[int] = []

    @clew.kinesis_handler(on_failure=clew.skip())
    async def each(record: clew.KinesisRecord) -> None:
        try:
            await asyncio.sleep(60 if number_of(record) == 1 else 0)
        except asyncio.CancelledError:
            cancelled.append(number_of(record))
            raise

    with logged() as lines:
        answer = each(stream_of(3), Context(timeout_s=0.6))
    assert first_left_over(answer) == 1
    assert cancelled == [1]
    assert outcomes(lines) == ["done", "returned", "returned"]


def test_a_cancellation_from_inside_is_the_records_failure() -> None:
    @clew.kinesis_handler(on_failure=clew.skip())
    async def each(record: clew.KinesisRecord) -> None:
        if number_of(record) == 1:
            raise asyncio.CancelledError

    with logged() as lines:
        assert first_left_over(each(stream_of(3), Context())) is None
    assert outcomes(lines) == ["done", "skipped", "done"]


def test_coroutines_find_the_loop_of_the_invocation_before() -> None:
    loops: list[Any] = []

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=2)
    async def each(record: clew.KinesisRecord) -> None:
        loops.append(asyncio.get_running_loop())

    with logged():
        each(stream_of(2), Context())
        each(stream_of(2), Context())
    assert len(set(map(id, loops))) == 1


def test_a_coroutine_handler_inside_a_loop_says_what_to_do() -> None:
    @clew.kinesis_handler(on_failure=clew.halt(), report=False)
    async def each(record: clew.KinesisRecord) -> None:
        """Do nothing."""

    async def wrong() -> None:
        each(stream_of(1), Context())

    with logged() as lines, pytest.raises(clew.ClewError):
        asyncio.run(wrong())
    assert any("asyncio.to_thread" in str(line) for line in lines)


def test_lanes_are_never_more_than_so_many() -> None:
    lock, running, most = threading.Lock(), [0], [0]

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=3)
    def each(record: clew.KinesisRecord) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.003)
        with lock:
            running[0] -= 1

    with logged():
        each(event([kinesis(n, str(n % 20)) for n in range(60)]), Context())
    assert most[0] == 3


def test_each_lane_has_the_ids_of_its_record() -> None:
    log = clew.get_logger("tests.lanes")
    barrier = threading.Barrier(3, timeout=20)

    @clew.kinesis_handler(on_failure=clew.halt(), lanes=3)
    def each(record: clew.KinesisRecord) -> None:
        barrier.wait()
        clew.bind(mine=number_of(record))
        barrier.wait()
        log.info("in a lane", extra={"n": str(number_of(record))})
        assert clew.current().span_id == record.span_id

    with logged() as lines:
        each(stream_of(6, "abcabc"), Context())
    told = said(lines, "in a lane")
    assert len(told) == 6
    spans = [one["span"] for one in invocation(lines)["received"]]
    for line in told:
        assert line["x-correlation-mine"] == line["n"]
        assert line["spanId"] == spans[int(line["n"])]
