"""Any value at all becomes JSON text, in bounded time."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import sys
import uuid
from collections import OrderedDict, UserDict
from typing import Any

import pytest

from clew.log.encode import MAX_DEPTH, MAX_ITEMS, MAX_TEXT, encode


class _NoText:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class _NoItems(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no items")


class _Level(enum.IntEnum):
    HIGH = 3


def test_what_json_can_hold_is_left_as_it_is() -> None:
    value = {"a": [1, 1.5, True, None, "ü"], "b": {"c": {}}, "d": (1, 2)}
    assert json.loads(encode(value)) == json.loads(json.dumps(value))
    assert encode("ü\x1b\u202e\n") == '"\\u00fc\\u001b\\u202e\\n"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        (bytearray(b"a"), "a"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        pytest.param(10**5000, "<huge number>", id="huge"),
        (_Level.HIGH, 3),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a=1), "{'a': 1}"),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ({"a": float("inf")}, {"a": "inf"}),
        ([{1}], ["{1}"]),
        (_NoText(), "<_NoText: its text raised RuntimeError>"),
        ({_NoText(): 1}, {"<_NoText: its text raised RuntimeError>": 1}),
    ],
)
def test_what_json_cannot_hold_becomes_text(value: object, shown: object) -> None:
    assert json.loads(encode(value)) == shown


def test_a_container_that_raises_is_named() -> None:
    assert json.loads(encode({1: _NoItems(a=1), "nan": float("nan")})) in (
        {"1": "<_NoItems>", "nan": "nan"},
        {"1": {"a": 1}, "nan": "nan"},  # where json reads the dict without asking for items
    )


def test_a_circle_ends() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    text = encode(circle)
    assert "too deep" in text
    assert text.count("again") == MAX_DEPTH


def test_a_crowd_of_circles_ends_soon() -> None:
    crowd: list[list[Any]] = [[] for _ in range(20)]
    for one in crowd:
        one.extend(crowd)
    assert len(encode(crowd)) < 3_000_000


def test_what_is_deep_or_long_is_cut() -> None:
    deep: list[Any] = []
    # Deeper than whatever recursion limit another test's library has set meanwhile.
    for _ in range(sys.getrecursionlimit() + 5_000):
        deep = [deep]
    assert "too deep" in encode(deep)
    broad = encode({"odd": float("nan"), "many": list(range(5_000)), "long": "x" * 500_000})
    shown = json.loads(broad)
    assert len(shown["many"]) == MAX_ITEMS
    assert len(shown["long"]) == MAX_TEXT


def test_lone_surrogates_are_escaped() -> None:
    assert json.loads(encode("\ud800")) == "\ud800"
