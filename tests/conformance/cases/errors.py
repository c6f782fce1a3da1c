"""What a failure has for a consequence, and who is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..contract import Case, Told
from .making import (
    ERRORS,
    PARAMETERS,
    puts,
)

if TYPE_CHECKING:
    from ..contract import Seen


def payload_in_bucket(seen: Seen) -> str:
    (said,) = seen.told
    payload = said.get("payload")
    if not isinstance(payload, str):
        return "the object has no payload in a string"
    return "" if seen.names_of(json.loads(payload)) == ["a"] else f"the payload is {payload}"


CASES = (
    Case(
        "error-retries-batch",
        "A function error has the whole batch tried again.",
        ERRORS,
        puts("a b"),
        fails={"b": 2},
        batches=(("a", "b"), ("a", "b"), ("a", "b")),
    ),
    Case(
        "retries-exhausted",
        "After MaximumRetryAttempts the batch is discarded and the next one is handled.",
        ERRORS,
        puts("a b"),
        properties={"MaximumRetryAttempts": 2, "BatchSize": 1},
        fails={"a": -1},
        batches=(("a",), ("a",), ("a",), ("b",)),
        told=(Told("a", "a", invocations=3),),
    ),
    Case(
        "retries-none",
        "With MaximumRetryAttempts 0 a batch is tried once.",
        PARAMETERS,
        puts("a b"),
        properties={"MaximumRetryAttempts": 0, "BatchSize": 1},
        fails={"a": -1},
        batches=(("a",), ("b",)),
        told=(Told("a", "a"),),
    ),
    Case(
        "discard-without-destination",
        "Without a destination a discarded batch is gone.",
        ERRORS,
        puts("a b"),
        properties={"MaximumRetryAttempts": 0, "BatchSize": 1},
        fails={"a": -1},
        batches=(("a",), ("b",)),
    ),
    Case(
        "throttle-no-retry",
        "Throttled invocations do not count as retries.",
        ERRORS,
        puts("a"),
        properties={"MaximumRetryAttempts": 0},
        throttled=3,
        batches=(("a",),),
        told=(),
    ),
    Case(
        "destination-sns",
        "A topic is told what a queue is told.",
        ERRORS,
        puts("a"),
        properties={"MaximumRetryAttempts": 0},
        fails={"a": -1},
        batches=(("a",),),
        told=(Told("a", "a"),),
        destination="sns",
    ),
    Case(
        "destination-s3",
        "A bucket is given the invocation record too, as an escaped JSON string.",
        ERRORS,
        puts("a"),
        properties={"MaximumRetryAttempts": 0},
        fails={"a": -1},
        batches=(("a",),),
        told=(Told("a", "a"),),
        destination="s3",
        check=payload_in_bucket,
    ),
    Case(
        "age-while-retrying",
        "A batch is given up when its records have reached the maximum age.",
        ERRORS,
        puts("a"),
        properties={"MaximumRecordAgeInSeconds": 60},
        fails={"a": -1},
        batches=None,
        told=(Told("a", "a", "RecordAgeExceeded", 1, "absent"),),
        ahead_s=100,
        check=lambda seen: "" if seen.events else "the function was never invoked",
    ),
    Case(
        "bisect-halves",
        "A batch that fails is split in two, until the bad record is alone.",
        ERRORS,
        puts("a b c d"),
        properties={"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 0},
        fails={"d": -1},
        batches=(("a", "b", "c", "d"), ("a", "b"), ("c", "d"), ("c",), ("d",)),
        told=(Told("d", "d", invocations=3),),
    ),
    Case(
        "bisect-no-retry",
        "Splitting a batch does not consume the retry quota.",
        ERRORS,
        puts("a b"),
        properties={"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 1},
        fails={"a": -1},
        batches=(("a", "b"), ("a",), ("a",), ("b",)),
        told=(Told("a", "a", invocations=3),),
    ),
)
