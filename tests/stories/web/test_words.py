"""Numbers and times are short; addresses lead where they should."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clew.stories.web import words

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "told"),
    [(None, ""), (0, "0 ms"), (3.21, "3.2 ms"), (120.4, "120 ms"), (1350, "1.35 s"),
     (245_000, "4 min 5 s"), (7_260_000, "2 h 1 min")],
)  # fmt: skip
def test_lengths(ms: float | None, told: str) -> None:
    assert words.length(ms) == told


@pytest.mark.parametrize(
    ("rate", "told"),
    [(0, "0"), (120, "120/s"), (3.2, "3.2/s"), (0.5, "30/min"), (7 / 3600, "7.0/h"),
     (1 / 86_400, "1.0/day"), (1e-9, "less than 1/day")],
)  # fmt: skip
def test_rates(rate: float, told: str) -> None:
    assert words.rate(rate) == told


def test_ages_and_moments() -> None:
    assert words.since("2h", NOW) == NOW - timedelta(hours=2)
    assert words.since("999999d", NOW) == datetime(1970, 1, 1, tzinfo=UTC)
    assert words.since("2026-01-01T00:00:00", NOW) == datetime(2026, 1, 1, tzinfo=UTC)
    for wrong in ("", "x", "-1h", "1y", "1" * 50, "٣h"):
        assert words.since(wrong, NOW) is None


@pytest.mark.parametrize(
    ("id_", "url"),
    [
        ("4f0c-1", "/story/4f0c-1"),
        ("a/b", "/story?id=a%2Fb"),
        ("..", "/story?id=.."),
        ("<b>", "/story?id=%3Cb%3E"),
        ("", "/story?id="),
        ("\ud800", "/story?id=%3F"),
    ],
)
def test_a_story_has_an_address_whatever_its_id(id_: str, url: str) -> None:
    assert words.story_url(id_) == url


def test_offsets() -> None:
    assert [words.offset(ms) for ms in (0, -5, 9999, 825_431, 7_800_000)] == [
        "+0", "-5", "+9999", "+825.43s", "+130min"
    ]  # fmt: skip


def test_times_beyond_all_times() -> None:
    assert words.clock(-5) == "00:00:00.995"
    assert words.day(10**30) == "9999-12-31"
    assert words.ago(0, 90_000) == "2 min ago"
    assert words.count(999_600) == "1.0M"
