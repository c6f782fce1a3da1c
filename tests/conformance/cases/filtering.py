"""Filter criteria."""

from __future__ import annotations

from ..contract import Case
from .making import (
    DYNAMODB_FILTERING,
    FILTERING,
    FILTERING_KINESIS,
    data,
    filters,
    puts,
)

CASES = (
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
)
