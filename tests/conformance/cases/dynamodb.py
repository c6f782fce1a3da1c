"""What DynamoDB has of its own."""

from __future__ import annotations

from ..contract import Case, Told
from .making import (
    DYNAMODB,
    DYNAMODB_ERRORS,
    REPORTING,
    puts,
    reports,
)

CASES = (
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
