"""What becomes of lines at a sink that is busy, that refuses some, or that takes less at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.answers import (
    TAKEN,
    BusyError,
    Outcome,
    RefusedError,
    TooLargeError,
    UnusableError,
    check,
    retry_after_s,
)
from clew.shipping.deliver import FIRST_WAIT_S, LEAST_S, MAX_TRIES, Report, deliver

from .making import lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.shipping.batches import Parcel


class Clock:
    def __init__(self, left_s: float = 1e9) -> None:
        self.left = left_s
        self.waits: list[float] = []

    def left_s(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= seconds


class Scripted:
    """A sink that answers as it is told, and keeps what it took."""

    name = "a sink"

    def __init__(
        self, answer: Callable[[list[str]], Outcome], max_lines: int = 4, max_bytes: int = 1_000
    ) -> None:
        self.max_lines, self.max_bytes = max_lines, max_bytes
        self.taken: list[str] = []
        self.asked: list[list[str]] = []
        self._answer = answer

    def pack(self, line: Any) -> bytes:
        packed: bytes = line.message.encode()
        return packed

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        messages = [parcel.data.decode() for parcel in parcels]
        self.asked.append(messages)
        outcome = self._answer(messages)
        gone = {*outcome.again, *outcome.refused}
        self.taken += [each for at, each in enumerate(messages) if at not in gone]
        return outcome

    def close(self) -> None:
        pass


def sent(sink: Any, count: int, clock: Clock | None = None) -> Report:
    clock = clock or Clock()
    given_ = lines(*(str(n) for n in range(count)))
    return deliver(given_, sink, left_s=clock.left_s, sleep=clock.sleep)


def in_turn(*answers: Any) -> Callable[[list[str]], Outcome]:
    left = list(answers)

    def answer(_messages: list[str]) -> Outcome:
        one = left.pop(0) if left else TAKEN
        if isinstance(one, Exception):
            raise one
        outcome: Outcome = one
        return outcome

    return answer


def test_all_goes_in_order() -> None:
    sink = Scripted(in_turn())
    report = sent(sink, 10)
    assert sink.taken == [str(n) for n in range(10)]
    assert (report.sent, report.left, report.refused, report.why) == (10, (), (), "")
    assert report.requests == 3


def test_only_the_rest_is_sent_again() -> None:
    clock = Clock()
    sink = Scripted(in_turn(Outcome(again=(1, 3), why="busy"), Outcome(again=(0,), why="busy")))
    report = sent(sink, 4, clock)
    assert sink.asked == [["0", "1", "2", "3"], ["1", "3"], ["1"]]
    assert report.sent == 4
    assert len(clock.waits) == 2


def test_waits_grow_and_are_as_long_as_the_sink_asks() -> None:
    clock = Clock()
    busy = [BusyError("busy")] * 4
    sent(Scripted(in_turn(*busy, BusyError("busy", wait_s=7.5))), 1, clock)
    longest = [FIRST_WAIT_S * 2**n for n in range(4)]
    for wait_s, most in zip(clock.waits[:4], longest, strict=True):
        assert most / 2 <= wait_s <= most
    assert clock.waits[4] == 7.5


def test_a_sink_that_stays_busy_is_left_alone() -> None:
    clock = Clock()
    sink = Scripted(in_turn(*[BusyError("still busy")] * 100))
    report = sent(sink, 10, clock)
    assert (report.sent, len(report.left), report.why) == (0, 10, "still busy")
    assert len(sink.asked) == MAX_TRIES


def test_time_is_respected() -> None:
    sink = Scripted(in_turn())
    report = sent(sink, 10, Clock(LEAST_S / 2))
    assert (sink.asked, len(report.left), report.why) == ([], 10, "the time is nearly up")
    # There is no room for the wait that the sink asks for.
    clock = Clock(5.0)
    report = sent(Scripted(in_turn(TAKEN, BusyError("slow down", 6.0))), 10, clock)
    assert (report.sent, len(report.left), report.why) == (4, 6, "slow down")
    assert clock.waits == []


def test_a_sink_that_cannot_be_used_is_not_asked_again() -> None:
    sink = Scripted(in_turn(TAKEN, UnusableError("401: who are you?")))
    report = sent(sink, 12)
    assert len(sink.asked) == 2
    assert [line.message for line in report.left] == [str(n) for n in range(4, 12)]
    assert report.why == "401: who are you?"


def test_a_request_that_is_too_large_goes_in_halves() -> None:
    def answer(messages: list[str]) -> Outcome:
        if len(messages) > 1:
            raise TooLargeError("413")
        return TAKEN

    sink = Scripted(answer)
    assert sent(sink, 8).sent == 8
    assert sink.taken == [str(n) for n in range(8)]

    def never(_messages: list[str]) -> Outcome:
        raise TooLargeError("413")

    report = sent(Scripted(never), 3)
    assert [(line.message, why) for line, why in report.refused] == [
        ("0", "413"), ("1", "413"), ("2", "413"),
    ]  # fmt: skip


def test_what_is_refused_is_found() -> None:
    def answer(messages: list[str]) -> Outcome:
        if bad := [each for each in messages if each in ("3", "6")]:
            raise RefusedError(f"400: {bad[0]}")
        return TAKEN

    sink = Scripted(answer, max_lines=8)
    report = sent(sink, 8)
    assert [(line.message, why) for line, why in report.refused] == [
        ("3", "400: 3"),
        ("6", "400: 6"),
    ]
    assert sink.taken == ["0", "1", "2", "4", "5", "7"]


def test_looking_for_what_is_refused_comes_to_an_end() -> None:
    def answer(_messages: list[str]) -> Outcome:
        raise RefusedError("400")

    sink = Scripted(answer, max_lines=5_000, max_bytes=1 << 20)
    report = sent(sink, 2_000)
    assert len(report.refused) == 2_000
    assert len(sink.asked) < 200


ANSWERS = st.sampled_from(
    [
        TAKEN, Outcome(again=(0,)), Outcome(refused={0: "no"}), BusyError("busy"),
        BusyError("busy", 3.0), TooLargeError("large"), RefusedError("refused"),
        UnusableError("no such thing"),
    ]
)  # fmt: skip


@given(st.integers(0, 25), st.lists(ANSWERS, max_size=40), st.floats(0, 60), st.integers(1, 9))
def test_every_line_is_sent_refused_or_left_once(
    count: int, answers: list[Any], left_s: float, most: int
) -> None:
    sink = Scripted(in_turn(*answers), max_lines=most)
    report = sent(sink, count, Clock(left_s))
    refused = [line.message for line, _ in report.refused]
    left = [line.message for line in report.left]
    assert sorted([*sink.taken, *refused, *left], key=int) == [str(n) for n in range(count)]
    assert report.sent == len(sink.taken)
    assert bool(report.why) == bool(left)
    assert left == sorted(left, key=int)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None), (204, None), (202, None), (301, UnusableError), (400, RefusedError),
        (401, UnusableError), (403, UnusableError), (404, UnusableError), (408, BusyError),
        (413, TooLargeError), (422, RefusedError), (429, BusyError), (500, BusyError),
        (503, BusyError), (599, BusyError),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, error: type[Exception] | None) -> None:
    if error is None:
        check(status, {}, b"", "sink")
        return
    with pytest.raises(error, match=re.escape(f"sink answered {status}: it says ? so")):
        check(status, {"Retry-After": "3"}, b"it says\n\x1b so", "sink")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("3", 3.0), ("1.5", 1.5), ("-4", 0.0), ("nan", 0.0), ("inf", 0.0), ("soon", 0.0), ("", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("9" * 500, 0.0),
    ],
)  # fmt: skip
def test_retry_after(written: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": written}) == seconds


def test_retry_after_a_date() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert retry_after_s({"Retry-After": "Fri, 02 Jan 2026 03:04:35 GMT"}, now) == 30.0
