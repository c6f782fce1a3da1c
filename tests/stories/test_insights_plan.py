"""What Insights is asked, how much it is expected to read, and what needs no asking."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.stories.insights_plan import (
    GB,
    Covered,
    Freshness,
    Group,
    Limits,
    Span,
    at_ms,
    pattern,
    plan,
    query,
    uncovered,
    word_pattern,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_800_000_000
DAY = 86_400


def group(name: str, days: float = 10, gb: float = 1, keep: int | None = None) -> Group:
    created_ms = int((NOW - days * DAY) * 1000)
    return Group(name, f"arn:{name}", created_ms, int(gb * GB), keep)


def test_groups_are_asked_fifty_at_a_time() -> None:
    planned = plan([group(f"g{n}") for n in range(120)], Span(NOW - 3600, NOW), NOW)
    assert [len(job.groups) for job in planned.jobs] == [50, 50, 20]
    assert planned.groups == 120


def test_groups_of_another_class_are_asked_by_themselves() -> None:
    rare = Group("r", "arn:r", 0, 0, None, "INFREQUENT_ACCESS")
    planned = plan([group("a"), rare, group("b")], Span(NOW - 60, NOW), NOW)
    assert [[one.name for one in job.groups] for job in planned.jobs] == [["a", "b"], ["r"]]


@pytest.mark.parametrize(
    ("one", "hours", "share"),
    [
        (group("a", days=10), 24, 0.1),
        (group("a", days=1), 24 * 7, 1),
        (group("a", days=100, keep=5), 24, 0.2),
        (group("a", days=100, keep=5), 24 * 30, 1),
    ],
)
def test_what_it_reads_is_the_share_of_the_time(one: Group, hours: float, share: float) -> None:
    planned = plan([one], Span(int(NOW - hours * 3600), NOW), NOW)
    assert planned.bytes == pytest.approx(share * GB, rel=0.01)
    assert planned.dollars == pytest.approx(share * 0.005, rel=0.01)


@pytest.mark.parametrize("part_ms", [0, 1, 500, 999])
def test_a_group_that_was_made_this_second_is_read_whole(part_ms: int) -> None:
    made = Group("a", "arn:a", NOW * 1000 + part_ms, 1000)
    assert plan([made], Span(NOW - 3600, NOW), NOW).bytes == 1000


def test_groups_that_cannot_have_lines_of_that_time_are_left_out() -> None:
    young, forgets = group("young", days=1), group("forgets", keep=1)
    planned = plan([young, forgets], Span(NOW - 5 * DAY, NOW - 3 * DAY), NOW)
    assert (planned.jobs, planned.bytes) == ((), 0)


def test_what_is_known_is_not_asked_again() -> None:
    a, b = group("a"), group("b")
    span = Span(NOW - 7200, NOW - 3600)
    known = {"arn:a": [Covered(span, NOW - 600)]}
    planned = plan([a, b], span, NOW, known)
    assert [[one.name for one in job.groups] for job in planned.jobs] == [["b"]]
    wider = Span(NOW - 9000, NOW)
    planned = plan([a], wider, NOW, known)
    assert [job.span for job in planned.jobs] == [
        Span(NOW - 9000, NOW - 7201),
        Span(NOW - 3599, NOW),
    ]


def test_an_answer_is_good_for_minutes_and_then_for_what_had_settled() -> None:
    told = Covered(Span(NOW - 7200, NOW), NOW)
    known = {"arn:a": [told]}
    assert plan([group("a")], Span(NOW - 7100, NOW + 299), NOW + 299, known).jobs == ()
    later = plan([group("a")], Span(NOW - 7100, NOW + 301), NOW + 301, known)
    assert [job.span for job in later.jobs] == [Span(NOW - 119, NOW + 301)]
    fresh = Limits(freshness=Freshness(fresh_s=0))
    again = plan([group("a")], Span(NOW - 7100, NOW + 2), NOW + 2, known, fresh)
    assert [job.span for job in again.jobs] == [Span(NOW - 119, NOW + 2)]


_SPANS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda two: Span(*two))


@given(_SPANS, st.lists(_SPANS, max_size=6))
def test_what_is_not_known_is_exactly_what_is_asked(span: Span, known: list[Span]) -> None:
    def seconds(spans: Sequence[Span]) -> list[int]:
        return [second for one in spans for second in range(one.start_s, one.end_s + 1)]

    asked = seconds(uncovered(span, known)) if span.start_s <= span.end_s else []
    assert len(asked) == len(set(asked))
    assert set(asked) == set(seconds([span])) - set(seconds(known))


@given(st.text(min_size=1, max_size=80))
def test_a_pattern_finds_the_text_and_nothing_in_it_is_syntax(text: str) -> None:
    regex = pattern([text], any_case=False)
    assert "/" not in regex
    assert "|" not in regex
    assert re.search(regex, f"before {text} after", re.DOTALL)
    assert re.search(pattern(["other", text], any_case=True), text.swapcase() + text, re.DOTALL)


@pytest.mark.parametrize(
    ("word", "has", "has_not"),
    [
        ("checkout", "a CheckOut, b", "checkouts"),
        ("check*", '{"x":"checkout"}', "recheck"),
        ("42", '"user":"42"', "421 142"),
        ("über", "es ist über", "unter"),
    ],
)
def test_a_word_is_found_as_one(word: str, has: str, has_not: str) -> None:
    assert re.search(word_pattern(word), has)
    assert re.search(word_pattern(word), word.removesuffix("*"))
    if word.isascii():
        assert not re.search(word_pattern(word), has_not)


def test_a_query_in_words() -> None:
    assert query(pattern(["a-1.b/c"], any_case=False), 10, 17) == (
        "fields @timestamp, @message, @log, @logStream | filter @message like /(a-1[.]b.*c)/"
        " | filter toMillis(@timestamp) >= 17 | sort @timestamp asc | limit 10"
    )
    assert query("x", 10, newest=True).endswith(" | sort @timestamp desc | limit 10")
    assert "like" not in query(pattern([], any_case=True), 10)
    assert at_ms("2026-01-02 03:04:05.678") == 1_767_323_045_678
