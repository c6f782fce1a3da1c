"""The pages that the cases come from, and what they are made of."""

from __future__ import annotations

import json
from typing import Any

from ..contract import GUIDE, Page, Put

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
