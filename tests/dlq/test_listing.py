"""Rows of letters: every column is there, however narrow the terminal and long the names."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clew.dlq.letter import LETTER, Letter
from clew.dlq.listing import age, middle, shares, table
from clew.dlq.message import Message

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def letter(**given_: Any) -> Letter:
    told: dict[str, Any] = {
        "id": "7f0c6b3e9ad14b0f",
        "correlation_id": "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e",
        "function": "timeline",
        "error_type": "KeyError",
        "error_message": "'name'",
        "attempts": 3,
        "at": NOW - timedelta(minutes=5),
        "source": "aws:kinesis",
        "origin": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
    }
    return Letter(Message("m", "{}"), LETTER, **(told | given_))


def shown(letters: list[Letter], width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table(letters, NOW, width))
    file = console.file
    assert isinstance(file, io.StringIO)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_what_fits_is_whole() -> None:
    assert shown([letter()]) == [
        "id        request        function  from            tries  age  error",
        "7f0c6b3e  4f0c1f0e-0d7a  timeline  Kinesis orders      3   5m  KeyError: 'name'",
    ]


def test_a_long_error_takes_no_other_column_away() -> None:
    said = letter(error_type="app.errors.Broken", error_message="it is " + "very " * 60)
    (_, row) = shown([said])
    assert row.startswith("7f0c6b3e  4f0c1f0e-0d7a  timeline  Kinesis orders      3   5m  Broken:")
    assert row.endswith("…")


def test_long_names_are_cut_in_their_middle() -> None:
    stack = "production-eu-timelines-Distribute-"
    streams = "arn:aws:kinesis:eu-west-1:123456789012:stream/production-eu-"
    found = shown(
        [
            letter(function=f"{stack}1A2B3C", origin=f"{streams}posts"),
            letter(function=f"{stack}9Z8Y7X", origin=f"{streams}likes"),
        ]
    )
    assert len(found) == 3, "one line each"
    for row, function, stream in ((found[1], "2B3C", "posts"), (found[2], "8Y7X", "likes")):
        id_, request, first, second, *_ = row.split("  ")
        assert (id_, request) == ("7f0c6b3e", "4f0c1f0e-0d7a")
        assert first.startswith("produ")
        assert "…" in first
        assert first.endswith(function)
        assert second.startswith("Kine")
        assert second.endswith(stream)
        assert "KeyError: 'name'" in row


@given(
    text=st.text(max_size=400),
    function=st.text(max_size=200),
    name=st.text(max_size=300),
    width=st.integers(80, 300),
)
def test_each_letter_is_one_line_with_all_columns(
    text: str, function: str, name: str, width: int
) -> None:
    letters = [letter(error_message=text, function=function, origin=name), letter()]
    found = shown(letters, width)
    assert len(found) == 3
    for row in found[1:]:
        assert row.startswith("7f0c6b3e  4f0c1f0e-0d7a  ")
        assert "  3   5m" in row


@given(st.integers(1, 300), st.integers(1, 300), st.integers(5, 400), st.integers(33, 300))
def test_shares_fit_and_take_no_more_than_they_need(
    function: int, source: int, error: int, room: int
) -> None:
    first, second, third = shares(function, source, error, room)
    assert first <= function
    assert second <= source
    assert first + second + min(third, error) <= room


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [("orders", 6, "orders"), ("orders", 5, "or…rs"), ("orders", 4, "or…s"), ("orders", 1, "…")],
)
def test_middle(text: str, most: int, cut: str) -> None:
    assert middle(text, most) == cut


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0s"), (59.9, "59s"), (119, "1m"), (5_399, "1h"), (172_800, "2d")],
)
def test_an_age_is_in_its_largest_unit(seconds: float, told: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == told
    assert age(None, NOW) == ""
