"""The contract of an event source mapping, case by case."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from .contract import GUIDE, Case, Page, Put, Told

if TYPE_CHECKING:
    from .contract import Seen

READING = Page(
    "Using Lambda to process records from Amazon Kinesis Data Streams", f"{GUIDE}/with-kinesis.html"
)
PARAMETERS = Page(
    "Lambda parameters for Amazon Kinesis Data Streams event source mappings",
    f"{GUIDE}/services-kinesis-parameters.html",
)
BATCHING = Page(
    "How Lambda processes records from stream and queue-based event sources",
    f"{GUIDE}/invocation-eventsourcemapping.html",
)
ERRORS = Page(
    "Retain discarded batch records for a Kinesis Data Streams event source in Lambda",
    f"{GUIDE}/kinesis-on-failure-destination.html",
)
PARTIAL = Page(
    "Configuring partial batch response with Kinesis Data Streams and Lambda",
    f"{GUIDE}/services-kinesis-batchfailurereporting.html",
)
WINDOWS = Page(
    "Implementing stateful Kinesis Data Streams processing in Lambda",
    f"{GUIDE}/services-kinesis-windows.html",
)
FILTERING = Page(
    "Control which events Lambda sends to your function",
    f"{GUIDE}/invocation-eventfiltering.html",
)
FILTERING_KINESIS = Page(
    "Using event filtering with a Kinesis event source", f"{GUIDE}/with-kinesis-filtering.html"
)
DYNAMODB = Page("Using AWS Lambda with Amazon DynamoDB", f"{GUIDE}/with-ddb.html")
DYNAMODB_ERRORS = Page(
    "Retain discarded records for a DynamoDB event source in Lambda",
    f"{GUIDE}/services-dynamodb-errors.html",
)
DYNAMODB_FILTERING = Page(
    "Using event filtering with a DynamoDB event source", f"{GUIDE}/with-ddb-filtering.html"
)


def puts(names: str, key: str = "k") -> tuple[Put, ...]:
    return tuple(Put(name, key) for name in names.split())


def data(name: str, body: Any, key: str = "k") -> Put:
    return Put(name, key, body if isinstance(body, bytes) else json.dumps(body).encode())


def reports(*names: str | None) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in names]}


def filters(*patterns: Any) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(each)} for each in patterns]}}


REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


# What a check says is the reason, or "".


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


def payload_in_bucket(seen: Seen) -> str:
    (said,) = seen.told
    payload = said.get("payload")
    if not isinstance(payload, str):
        return "the object has no payload in a string"
    return "" if seen.names_of(json.loads(payload)) == ["a"] else f"the payload is {payload}"


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


def windows_seen(seen: Seen) -> str:
    finals = [event for event in seen.events if event.get("isFinalInvokeForWindow")]
    if not finals:
        return "no window was closed"
    final = finals[0]
    if final["Records"] or final["state"] != {"n": 3}:
        return f"the last invocation had {final}"
    if final["shardId"] != "shardId-000000000000" or final["eventSourceARN"] != seen.arn:
        return f"the last invocation had {final}"
    first = seen.events[0]
    if first["state"] != {} or set(first["window"]) != {"start", "end"}:
        return f"the first invocation had {first}"
    return ""


def ended_early(seen: Seen) -> str:
    flags = [
        (event.get("isFinalInvokeForWindow"), event.get("isWindowTerminatedEarly"))
        for event in seen.events
    ]
    return "" if (True, True) in flags else f"the flags were {flags}"


def parents_first(seen: Seen) -> str:
    handled = [name for batch in seen.batches for name in batch]
    missing = {"p0", "p1", "p2", "p3", "c0", "c1", "c2", "c3"} - set(handled)
    if missing:
        return f"{', '.join(sorted(missing))} never came"
    first = list(dict.fromkeys(handled))
    return "" if first[:4] == ["p0", "p1", "p2", "p3"] else f"handled as {first}"


def count_into_state(event: dict[str, Any]) -> Any:
    state = event.get("state") or {}
    return {"state": {"n": state.get("n", 0) + len(event["Records"])}}


def large_state(event: dict[str, Any]) -> Any:
    return {"state": {"x": "x" * 1_100_000} if event["Records"] else {}}


CASES = (
    # Reading.
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
    # Concurrency.
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
    # Errors.
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
    # Partial batch responses.
    Case(
        "partial-lowest",
        "Of several items the one with the lowest sequence number is the checkpoint.",
        PARTIAL,
        puts("a b c d"),
        properties=REPORTING,
        answers=(reports("$d", "$b"), None),
        batches=(("a", "b", "c", "d"), ("b", "c", "d")),
    ),
    *(
        Case(
            f"partial-success-{name}",
            f"{what} is a complete success.",
            PARTIAL,
            puts("a b"),
            properties=REPORTING,
            answers=(answer,),
            batches=(("a", "b"),),
        )
        for name, what, answer in (
            ("empty-list", "An empty batchItemFailures list", {"batchItemFailures": []}),
            ("null-list", "A null batchItemFailures list", {"batchItemFailures": None}),
            ("empty-response", "An empty response", {}),
            ("null-response", "A null response", None),
        )
    ),
    *(
        Case(
            f"partial-failure-{name}",
            f"{what} is a complete failure.",
            PARTIAL,
            puts("a b"),
            properties=REPORTING | {"MaximumRetryAttempts": 0},
            answers=(answer,),
            batches=(("a", "b"),),
            told=(Told("a", "b", function_error=None),),
        )
        for name, what, answer in (
            ("empty-identifier", "An empty itemIdentifier", reports("")),
            ("null-identifier", "A null itemIdentifier", reports(None)),
            (
                "bad-key",
                "An itemIdentifier under a bad key name",
                {"batchItemFailures": [{"id": "$b"}]},
            ),
            ("unknown", "An itemIdentifier that is not in the batch", reports("12345")),
        )
    ),
    Case(
        "partial-counts",
        "What remains after a partial response is tried again within the retry quota.",
        PARTIAL,
        puts("a b c"),
        properties=REPORTING | {"MaximumRetryAttempts": 3},
        answers=(reports("$c"),),
        batches=(("a", "b", "c"), ("c",), ("c",), ("c",)),
        told=(Told("c", "c", invocations=4, function_error=None),),
    ),
    Case(
        "partial-bisect",
        "With bisecting the batch is split at the returned sequence number, and only the rest is "
        "tried again, without spending a retry.",
        PARTIAL,
        puts("a b c d"),
        properties=REPORTING | {"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 0},
        answers=(reports("$c"), None),
        batches=(("a", "b", "c", "d"), ("c", "d")),
        told=(),
    ),
    Case(
        "partial-bisect-error",
        "A function error bisects the batch whatever is reported otherwise.",
        PARTIAL,
        puts("a b"),
        properties=REPORTING | {"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 0},
        fails={"b": -1},
        batches=(("a", "b"), ("a",), ("b",)),
        told=(Told("b", "b", invocations=2),),
    ),
    Case(
        "partial-not-enabled",
        "Without ReportBatchItemFailures the response says nothing.",
        PARTIAL,
        puts("a b"),
        answers=(reports("$a"),),
        batches=(("a", "b"),),
    ),
    # Filters.
    Case(
        "filter-data",
        "A pattern for data is matched against the decoded JSON.",
        FILTERING_KINESIS,
        (data("a", {"kind": "order"}), data("b", {"kind": "other"}), data("c", {"kind": "order"})),
        properties=filters({"data": {"kind": ["order"]}}),
        batches=(("a", "c"),),
    ),
    Case(
        "filter-not-json",
        "With a pattern for data, data that is not JSON is dropped.",
        FILTERING,
        (data("a", b"plain"), data("b", {"kind": "order"})),
        properties=filters({"data": {"kind": [{"anything-but": ["x"]}]}}),
        batches=(("b",),),
    ),
    Case(
        "filter-not-json-absent",
        "That holds for a pattern that asks for a field not to be there, too.",
        FILTERING,
        (data("a", b"plain"), data("b", {"other": 1})),
        properties=filters({"data": {"kind": [{"exists": False}]}}),
        batches=(("b",),),
    ),
    Case(
        "filter-metadata",
        "Without a pattern for data, metadata is filtered, whatever the data is.",
        FILTERING,
        (data("a", b"plain", "1"), data("b", b"plain", "2")),
        properties=filters({"partitionKey": ["1"]}),
        batches=(("a",),),
    ),
    Case(
        "filter-or",
        "A record has to match one of several filters.",
        FILTERING,
        (data("a", {"x": 1}), data("b", {"y": 1}), data("c", {"z": 1})),
        properties=filters({"data": {"x": [1]}}, {"data": {"y": [1]}}),
        batches=(("a", "b"),),
    ),
    *(
        Case(
            f"filter-{name}",
            f"{what}.",
            FILTERING,
            (data("a", fits), data("b", differs)),
            properties=filters({"data": pattern}),
            batches=(("a",),),
        )
        for name, what, pattern, fits, differs in (
            ("null", "null matches null", {"f": [None]}, {"f": None}, {"f": ""}),
            ("empty", '"" matches the empty string', {"f": [""]}, {"f": ""}, {"f": "x"}),
            (
                "prefix",
                "prefix is about the beginning",
                {"f": [{"prefix": "us-"}]},
                {"f": "us-1"},
                {"f": "eu-1"},
            ),
            (
                "suffix",
                "suffix is about the end",
                {"f": [{"suffix": ".png"}]},
                {"f": "a.png"},
                {"f": "a.jpg"},
            ),
            (
                "ignore-case",
                "equals-ignore-case does",
                {"f": [{"equals-ignore-case": "alice"}]},
                {"f": "ALICE"},
                {"f": "Bob"},
            ),
            (
                "anything-but",
                "anything-but excludes",
                {"f": [{"anything-but": ["x"]}]},
                {"f": "y"},
                {"f": "x"},
            ),
            (
                "numeric",
                "numeric takes a range",
                {"f": [{"numeric": [">", 10, "<=", 20]}]},
                {"f": 20},
                {"f": 10},
            ),
            ("exists", "exists asks for the field", {"f": [{"exists": True}]}, {"f": 1}, {"g": 1}),
            (
                "exists-not",
                "exists false asks for its absence",
                {"f": [{"exists": False}]},
                {"g": 1},
                {"f": 1},
            ),
            (
                "or-fields",
                "$or joins several fields",
                {"$or": [{"f": [1]}, {"g": [1]}]},
                {"f": 0, "g": 1},
                {"f": 0, "g": 0},
            ),
            (
                "nested",
                "patterns nest",
                {"f": {"g": {"h": [1]}}},
                {"f": {"g": {"h": 1}}},
                {"f": {"g": 1}},
            ),
            (
                "number-text",
                "numbers are compared as they are written",
                {"f": [300]},
                {"f": 300},
                {"f": 300.0},
            ),
        )
    ),
    Case(
        "filter-dynamodb",
        "A pattern looks into the change under dynamodb.",
        DYNAMODB_FILTERING,
        puts("a b"),
        properties=filters({"dynamodb": {"Keys": {"name": {"S": ["b"]}}}}),
        source="dynamodb",
        batches=(("b",),),
    ),
    # Tumbling windows.
    Case(
        "window-state",
        "The state that is returned comes with the next batch, and in the end with no records.",
        WINDOWS,
        puts("a b c"),
        properties={"TumblingWindowInSeconds": 1, "BatchSize": 3},
        answer=count_into_state,
        batches=None,
        ahead_s=200,
        check=windows_seen,
        endless=True,
    ),
    Case(
        "window-no-state",
        "A response without a state is a failed invocation.",
        WINDOWS,
        puts("a"),
        properties={"TumblingWindowInSeconds": 900, "MaximumRetryAttempts": 1},
        answers=({},),
        batches=(("a",), ("a",)),
        told=(Told("a", "a", invocations=2, function_error=None),),
    ),
    Case(
        "window-too-large",
        "A state over 1 MB ends the window early.",
        WINDOWS,
        puts("a"),
        properties={"TumblingWindowInSeconds": 900},
        answer=large_state,
        batches=None,
        check=ended_early,
        endless=True,
    ),
    # DynamoDB.
    Case(
        "dynamodb-retries-exhausted",
        "A destination is told of a DynamoDB batch under DDBStreamBatchInfo.",
        DYNAMODB_ERRORS,
        puts("a b"),
        properties={"MaximumRetryAttempts": 1, "BatchSize": 1},
        source="dynamodb",
        fails={"a": -1},
        batches=(("a",), ("a",), ("b",)),
        told=(Told("a", "a", invocations=2),),
    ),
    Case(
        "dynamodb-partial",
        "Partial batch responses work the same for DynamoDB.",
        DYNAMODB,
        puts("a b c"),
        properties=REPORTING,
        source="dynamodb",
        answers=(reports("$b"), None),
        batches=(("a", "b", "c"), ("b", "c")),
    ),
)
