"""The engine behind the handlers of batches: what a record costs, and what lanes save."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from benchmarks.measure import Result, compare, version

_RECORDS, _KEYS, _WAIT_S, _LANES = 10_000, 500, 0.005, 16
#: One at a time the whole would take a minute; a tenth of it says the same.
_ONE_AT_A_TIME = 1_000


def run() -> list[Result]:
    """The dispatch of a record that needs nothing, and of records that wait for something."""
    return [_dispatch(), *_lanes()]


def _dispatch() -> Result:
    """Records that are open already, as theirs are: opening them is what `kinesis_records` has."""
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

    import clew
    from benchmarks.lines import Context, kinesis_event, to_nowhere
    from clew.capture import Delivery, Record, open_delivery
    from clew.streams.engine import run_batch
    from clew.streams.plan import Plan
    from clew.streams.sources import KINESIS

    class Opened(Record):
        """One whose correlation is known."""

        __slots__ = ()
        chain_length = 1

    records = 1000
    event = kinesis_event(records, with_context=True)
    context = Context()
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)

    def each(record: Any) -> None:
        """Do nothing."""

    plan = Plan(each, KINESIS, clew.halt())
    captured = open_delivery(event, context)
    opened: list[Record] = []
    for came in captured.records:
        record = Opened(came.raw)
        record.arrive_in(came)
        opened.append(record)
    delivery = Delivery(
        source=captured.source,
        event=event,
        correlation=captured.correlation,
        records=opened,
        invocation=captured.invocation,
    )

    def ours() -> None:
        for record in opened:
            record.outcome = "pending"
        run_batch(plan, delivery, context)

    def theirs() -> None:
        with processor(event["Records"], each):
            processor.process()

    with to_nowhere():
        found, peer, ratio = compare(ours, theirs, times=20, rounds=15)
    return Result(
        "Dispatch of a record to a trivial handler, its correlation in force (theirs: with none)",
        found / records,
        peer / records,
        "aws-lambda-powertools",
        version("aws-lambda-powertools"),
        ratio,
        1.0,
        ratio <= 1.0,
    )


def _lanes() -> list[Result]:
    """Wall time, as it is waiting that is saved."""
    import clew
    from benchmarks.lines import to_nowhere

    def each(record: Any) -> None:
        time.sleep(_WAIT_S)

    async def each_async(record: Any) -> None:
        await asyncio.sleep(_WAIT_S)

    policy = clew.halt()
    with to_nowhere():
        one = _timed(clew.kinesis_handler(on_failure=policy)(each), _ONE_AT_A_TIME)
        threads = _in_order(clew.kinesis_handler(on_failure=policy, lanes=_LANES))
        tasks = _timed(clew.kinesis_handler(on_failure=policy, lanes=_LANES)(each_async), _RECORDS)
        theirs = _powertools()
    row = f"{_RECORDS:,} records of {_KEYS} keys that wait 5 ms each, lanes={_LANES}"
    return [
        Result(
            f"{row}: times faster than one at a time, each key in order",
            threads,
            one,
            "clew, one at a time",
            version("clew"),
            one / threads,
            12.0,
            one / threads >= 12.0,
        ),
        Result(
            f"{row}, coroutines: the same",
            tasks,
            one,
            "clew, one at a time",
            version("clew"),
            one / tasks,
            12.0,
            one / tasks >= 12.0,
        ),
        Result(
            f"the same work beside their async processor, which runs all {_RECORDS:,} at once and "
            "in no order: a record takes so many times as long",
            tasks,
            theirs,
            "aws-lambda-powertools",
            version("aws-lambda-powertools"),
            tasks / theirs,
            _RECORDS / _LANES,
            tasks / theirs <= _RECORDS / _LANES,
        ),
    ]


def _event(count: int) -> dict[str, Any]:
    from benchmarks.lines import kinesis_event

    event = kinesis_event(count, with_context=True)
    for number, record in enumerate(event["Records"]):
        record["kinesis"]["partitionKey"] = str(number % _KEYS)
        record["kinesis"]["sequenceNumber"] = f"{number:056d}"
    return event


def _timed(handler: Any, count: int) -> float:
    """Microseconds a record."""
    event = _event(count)
    started = time.perf_counter()
    answer = handler(event, None)
    took = time.perf_counter() - started
    assert answer == {"batchItemFailures": []}
    return took / count * 1e6


def _in_order(decorate: Any) -> float:
    """`_timed` in threads, while it is checked that each key is in order and in one at a time."""
    lock = threading.Lock()
    last: dict[str, str] = {}
    running: set[str] = set()

    def each(record: Any) -> None:
        key, number = record.partition_key, record.sequence_number
        with lock:
            assert key not in running, f"two records of {key} at once"
            assert last.get(key, "") < number, f"the records of {key} are out of order"
            last[key] = number
            running.add(key)
            assert len(running) <= _LANES
        time.sleep(_WAIT_S)
        with lock:
            running.remove(key)

    took = _timed(decorate(each), _RECORDS)
    assert len(last) == _KEYS
    return took


def _powertools() -> float:
    from aws_lambda_powertools.utilities.batch import (
        AsyncBatchProcessor,
        EventType,
        async_process_partial_response,
    )

    from benchmarks.lines import Context

    async def each(record: Any) -> None:
        await asyncio.sleep(_WAIT_S)

    event = _event(_RECORDS)
    processor = AsyncBatchProcessor(event_type=EventType.KinesisDataStreams)
    started = time.perf_counter()
    async_process_partial_response(event, each, processor, Context())
    return (time.perf_counter() - started) / _RECORDS * 1e6
