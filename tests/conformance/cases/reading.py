"""What is read, in which batches, and what runs side by side."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from ..contract import Case, Put
from .making import (
    BATCHING,
    DYNAMODB,
    PARAMETERS,
    READING,
    puts,
)

if TYPE_CHECKING:
    from ..contract import Seen


def kinesis_shape(seen: Seen) -> str:
    (record,) = seen.events[0]["Records"]
    kinesis = record["kinesis"]
    expected = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "sequenceNumber": seen.sequence("a"),
            "data": base64.b64encode(b"\x00\xffdata").decode(),
            "approximateArrivalTimestamp": kinesis["approximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{seen.sequence('a')}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": record["invokeIdentityArn"],
        "awsRegion": "us-east-1",
        "eventSourceARN": seen.arn,
    }
    if record != expected or set(seen.events[0]) != {"Records"}:
        return f"the event is {json.dumps(seen.events[0])}"
    return ""


def dynamodb_shape(seen: Seen) -> str:
    (record,) = seen.events[0]["Records"]
    names = {
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    }
    if set(record) != names or record["eventSourceARN"] != seen.arn:
        return f"the record is {json.dumps(record)}"
    change = record["dynamodb"]
    if change["Keys"] != {"name": {"S": "a"}} or not isinstance(
        change["ApproximateCreationDateTime"], int | float
    ):
        return f"the change is {json.dumps(change)}"
    return ""


def keys_in_order(seen: Seen) -> str:
    for key in ("k0", "k1", "k2", "k3"):
        handled = [name for batch in seen.batches for name in batch if name.startswith(key)]
        if list(dict.fromkeys(handled)) != [f"{key}-{at}" for at in range(6)]:
            return f"{key} was handled as {handled}"
    return ""


def others_go_on(seen: Seen) -> str:
    handled = {name for batch in seen.batches for name in batch}
    missing = [f"o{at}" for at in range(20) if f"o{at}" not in handled]
    # Other keys may share the lane of the one that fails, as they may on AWS.
    return f"{len(missing)} of 20 other keys wait" if len(missing) > 8 else ""


def under_6_mb(seen: Seen) -> str:
    sizes = [len(json.dumps(event, separators=(",", ":"))) for event in seen.events]
    if max(sizes) > 6 * 1024 * 1024:
        return f"an event has {max(sizes):,} bytes"
    return "" if len(sizes) == 2 else f"there were {len(sizes)} invocations"


def parents_first(seen: Seen) -> str:
    handled = [name for batch in seen.batches for name in batch]
    missing = {"p0", "p1", "p2", "p3", "c0", "c1", "c2", "c3"} - set(handled)
    if missing:
        return f"{', '.join(sorted(missing))} never came"
    first = list(dict.fromkeys(handled))
    return "" if first[:4] == ["p0", "p1", "p2", "p3"] else f"handled as {first}"


CASES = (
    Case(
        "event-kinesis",
        "An event has the documented fields; data is base64, the arrival time is in seconds.",
        READING,
        (Put("a", data=b"\x00\xffdata"),),
        batches=(("a",),),
        check=kinesis_shape,
    ),
    Case(
        "event-dynamodb",
        "An event has the documented fields, with the stream's ARN in each record.",
        DYNAMODB,
        puts("a"),
        source="dynamodb",
        batches=(("a",),),
        check=dynamodb_shape,
    ),
    Case(
        "start-latest",
        "LATEST gives only what is put after the mapping was made.",
        PARAMETERS,
        puts("old"),
        puts("new"),
        {"StartingPosition": "LATEST"},
        batches=(("new",),),
    ),
    Case(
        "start-at-timestamp",
        "AT_TIMESTAMP gives what is put from a time on.",
        PARAMETERS,
        puts("a b"),
        properties={"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1},
        batches=(("a", "b"),),
    ),
    Case(
        "batch-size",
        "A batch has no more records than BatchSize.",
        PARAMETERS,
        puts("a b c d e f g"),
        properties={"BatchSize": 3},
        batches=(("a", "b", "c"), ("d", "e", "f"), ("g",)),
    ),
    Case(
        "batch-window",
        "Records are gathered until the batching window is over.",
        BATCHING,
        puts("a"),
        puts("b"),
        {"MaximumBatchingWindowInSeconds": 2},
        batches=(("a", "b"),),
    ),
    Case(
        "batch-window-full",
        "A full batch does not wait for the batching window.",
        BATCHING,
        puts("a b"),
        properties={"MaximumBatchingWindowInSeconds": 300, "BatchSize": 2},
        batches=(("a", "b"),),
    ),
    Case(
        "payload-6-mb",
        "A batch that would pass the invocation limit of 6 MB is split.",
        BATCHING,
        tuple(Put(f"r{at}", data=b"x" * 700_000) for at in range(8)),
        batches=None,
        check=under_6_mb,
    ),
    Case(
        "reshard-parents-first",
        "The records of a shard are handled before those of the shards that it was split into.",
        READING,
        tuple(Put(f"p{at}", f"key-{at}") for at in range(4)),
        tuple(Put(f"c{at}", f"key-{at}") for at in range(4)),
        {"BatchSize": 1},
        fails={"p0": 2},
        batches=None,
        split=True,
        check=parents_first,
    ),
    Case(
        "shard-in-order",
        "A batch that fails holds up its shard until it succeeds.",
        READING,
        puts("a b c"),
        properties={"BatchSize": 1},
        fails={"a": 2},
        batches=(("a",), ("a",), ("a",), ("b",), ("c",)),
    ),
    Case(
        "parallel-keys-in-order",
        "With a ParallelizationFactor the records of a partition key keep their order.",
        READING,
        tuple(Put(f"k{key}-{at}", f"k{key}") for at in range(6) for key in range(4)),
        properties={"ParallelizationFactor": 4, "BatchSize": 2},
        batches=None,
        check=keys_in_order,
    ),
    Case(
        "parallel-others-go-on",
        "With a ParallelizationFactor a batch that fails does not hold up all other keys.",
        READING,
        (Put("bad", "stuck"), *(Put(f"o{at}", f"other-{at}") for at in range(20))),
        properties={"ParallelizationFactor": 10, "BatchSize": 1},
        fails={"bad": -1},
        batches=None,
        check=others_go_on,
        endless=True,
    ),
)
