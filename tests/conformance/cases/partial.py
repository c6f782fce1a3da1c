"""Partial batch responses."""

from __future__ import annotations

from ..contract import Case, Told
from .making import (
    PARTIAL,
    REPORTING,
    puts,
    reports,
)

CASES = (
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
)
