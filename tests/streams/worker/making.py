"""Records and moments for the tests of the worker."""

from __future__ import annotations

from clew.streams.worker.clock import Instant
from clew.streams.worker.records import StreamRecord

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
TABLE_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-02T03:04:05.678"
EPOCH = 1_700_000_000.0


def record(number: int, *, key: str = "k", arrived: float = EPOCH, size: int = 500) -> StreamRecord:
    return StreamRecord(f"{number:030d}", key, arrived, "e30=", size)


def records(
    first: int, count: int, *, arrived: float = EPOCH, size: int = 500
) -> tuple[StreamRecord, ...]:
    return tuple(record(first + at, arrived=arrived, size=size) for at in range(count))


def at(seconds: float) -> Instant:
    """So many seconds after the first record came, on both clocks."""
    return Instant(seconds, EPOCH + seconds)


def numbers(given: tuple[StreamRecord, ...]) -> list[int]:
    return [int(each.sequence) for each in given]
