"""The decisions of a lane: by example where the documentation gives one, by property elsewhere."""

from __future__ import annotations

import pytest

from clew.streams.worker import machine
from clew.streams.worker.machine import Discard, Invoke, Lane, Rules, Wait
from clew.streams.worker.outcome import Failed, NotInvoked, Outcome, Partial, Succeeded

from .making import EPOCH, at, numbers, record, records

FAILED = Failed("it failed")


def lane_with(count: int, *, size: int = 500) -> Lane:
    given = records(1, count, size=size)
    return machine.take(Lane(), given, given[-1].sequence, at(0))


def invoked(lane: Lane, rules: Rules, seconds: float = 0) -> tuple[Lane, list[int]]:
    lane, action = machine.decide(lane, rules, at(seconds))
    assert isinstance(action, Invoke), action
    return lane, numbers(action.records)


def tried(lane: Lane, rules: Rules, outcome: Outcome, seconds: float = 0) -> tuple[Lane, list[int]]:
    """The lane after its next invocation came to ``outcome``, and what was invoked."""
    lane, given = invoked(lane, rules, seconds)
    return machine.settle(lane, rules, outcome, at(seconds)), given


NO_WAIT = Rules(backoff_first_s=0)


def test_a_batch_has_no_more_records_than_the_batch_size() -> None:
    rules = Rules(batch_size=3)
    lane, first = tried(lane_with(5), rules, Succeeded())
    lane, second = tried(lane, rules, Succeeded())
    assert (first, second) == ([1, 2, 3], [4, 5])
    assert lane.position == record(5).sequence


def test_a_batch_has_no_more_bytes_than_an_invocation_takes() -> None:
    rules = Rules(payload_bytes=1200)
    lane, first = tried(lane_with(5), rules, Succeeded())
    assert first == [1, 2]
    assert invoked(lane, rules)[1] == [3, 4]


def test_a_record_that_is_too_large_by_itself_goes_alone() -> None:
    _, first = tried(lane_with(2, size=5000), Rules(payload_bytes=1200), Succeeded())
    assert first == [1]


def test_records_are_gathered_for_the_batching_window() -> None:
    rules = Rules(batch_size=10, batching_window_s=5)
    lane, action = machine.decide(lane_with(2), rules, at(0))
    assert action == Wait(5.0)
    lane = machine.take(lane, records(3, 2), record(4).sequence, at(4.9))
    assert invoked(lane, rules, 5)[1] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "rules",
    [
        Rules(batch_size=2, batching_window_s=5),
        Rules(batching_window_s=5, payload_bytes=1200),
    ],
    ids=["full", "6 MB"],
)
def test_a_full_batch_does_not_wait_for_the_window(rules: Rules) -> None:
    assert invoked(lane_with(3), rules)[1] == [1, 2]


def test_the_end_of_the_shard_ends_the_gathering() -> None:
    assert invoked(machine.end(lane_with(1)), Rules(batching_window_s=300))[1] == [1]


def test_a_batch_that_fails_is_tried_again_whole_and_later_each_time() -> None:
    rules = Rules(backoff_first_s=1, backoff_most_s=3)
    lane, _ = tried(lane_with(2), rules, FAILED)
    waits = []
    now = 0.0
    for _ in range(4):
        lane, action = machine.decide(lane, rules, at(now))
        assert isinstance(action, Wait)
        assert action.until is not None
        waits.append(action.until - now)
        now = action.until
        lane, given = tried(lane, rules, FAILED, now)
        assert given == [1, 2]
    assert waits == [1, 2, 3, 3]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_batch_is_given_up_after_the_retries(retries: int) -> None:
    rules = Rules(retries=retries, backoff_first_s=0)
    lane = lane_with(2)
    for _ in range(retries + 1):
        lane, _ = tried(lane, rules, FAILED)
    lane, action = machine.decide(lane, rules, at(0))
    assert isinstance(action, Discard)
    assert (numbers(action.records), action.condition) == ([1, 2], "RetryAttemptsExhausted")
    assert action.invocations == retries + 1
    lane = machine.discarded(lane, action.records)
    assert lane.position == record(2).sequence


def test_what_did_not_reach_the_function_spends_no_retry() -> None:
    rules = Rules(retries=0, bisect=True, backoff_first_s=0)
    lane = lane_with(2)
    for _ in range(20):
        lane, given = tried(lane, rules, NotInvoked("throttled"))
        assert given == [1, 2]
    _, action = machine.decide(lane, rules, at(0))
    assert action == Invoke(records(1, 2), attempt=1)
    lane, _ = tried(lane, rules, Succeeded())
    assert lane.position == record(2).sequence


def test_bisecting_isolates_a_bad_record_and_spends_no_retry() -> None:
    rules = Rules(bisect=True, retries=1, backoff_first_s=0)
    lane = lane_with(8)
    seen = []
    for _ in range(20):
        lane, action = machine.decide(lane, rules, at(0))
        if isinstance(action, Discard):
            assert numbers(action.records) == [6]
            lane = machine.discarded(lane, action.records)
            continue
        if isinstance(action, Wait):
            break
        seen.append(numbers(action.records))
        bad = 6 in seen[-1]
        lane = machine.settle(lane, rules, FAILED if bad else Succeeded(), at(0))
    assert seen == [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [5, 6],
        [5],
        [6],  # the first of two attempts at one record: none was spent on the way
        [6],
        [7, 8],
    ]
    assert lane.position == record(8).sequence


def test_a_partial_answer_moves_the_checkpoint_and_counts_as_a_retry() -> None:
    # Seen on AWS: a batch whose third record fails, with three retries, is invoked four times.
    rules = Rules(retries=3, backoff_first_s=0)
    lane, _ = tried(lane_with(3), rules, Partial(2))
    assert lane.position == record(2).sequence
    for _ in range(3):
        lane, given = tried(lane, rules, FAILED)
        assert given == [3]
    _, action = machine.decide(lane, rules, at(0))
    assert action == Discard((record(3),), "RetryAttemptsExhausted", 4)


def test_a_partial_answer_with_bisecting_spends_no_retry() -> None:
    rules = Rules(retries=0, bisect=True, backoff_first_s=0)
    lane, _ = tried(lane_with(6), rules, Partial(2))
    lane, given = tried(lane, rules, Partial(1))
    assert given == [3, 4, 5, 6]
    assert invoked(lane, rules)[1] == [4, 5, 6]


def test_records_past_the_maximum_age_are_given_up_without_an_invocation() -> None:
    rules = Rules(max_age_s=60)
    given = (*records(1, 2, arrived=EPOCH - 61), *records(3, 2, arrived=EPOCH))
    lane = machine.take(Lane(), given, given[-1].sequence, at(0))
    lane, action = machine.decide(lane, rules, at(0))
    # Seen on AWS: one is told of even where there was no invocation.
    assert action == Discard(given[:2], "RecordAgeExceeded", 1)
    lane = machine.discarded(lane, given[:2])
    assert invoked(lane, rules)[1] == [3, 4]


def test_a_batch_that_is_being_retried_becomes_too_old() -> None:
    rules = Rules(max_age_s=60, backoff_first_s=100, backoff_most_s=100)
    lane, _ = tried(lane_with(1), rules, FAILED)
    lane, action = machine.decide(lane, rules, at(1))
    assert action == Wait(60.0)
    _, action = machine.decide(lane, rules, at(60))
    assert action == Discard((record(1),), "RecordAgeExceeded", 1)


def test_ages_are_by_the_streams_clock_and_waits_by_the_steady_one() -> None:
    rules = Rules(max_age_s=60, backoff_first_s=5)
    lane, _ = tried(lane_with(1), rules, FAILED)
    jumped = at(1)._replace(wall=EPOCH - 10_000)
    assert machine.decide(lane, rules, jumped)[1] == Wait(5.0)


# Tumbling windows.

WINDOWS = Rules(window_s=60, window_idle_s=120, backoff_first_s=1)
START = EPOCH // 60 * 60  # windows begin at multiples of their length


def windowed(*arrivals: float) -> Lane:
    given = tuple(record(at + 1, arrived=START + each) for at, each in enumerate(arrivals))
    return machine.take(Lane(), given, given[-1].sequence, at(0))


def test_a_batch_does_not_go_over_the_end_of_a_window() -> None:
    lane, given = tried(windowed(1, 59.9, 60), WINDOWS, Succeeded({"n": 2}))
    assert given == [1, 2]
    lane, action = machine.decide(lane, WINDOWS, at(0))
    assert isinstance(action, Invoke)
    assert action.final
    assert action.records == ()
    assert action.window is not None
    assert (action.window.start, action.window.end, action.window.state) == (
        START,
        START + 60,
        {"n": 2},
    )
    lane = machine.settle(lane, WINDOWS, Succeeded({}), at(0))
    lane, action = machine.decide(lane, WINDOWS, at(0))
    assert isinstance(action, Invoke)
    assert action.window is not None
    assert (numbers(action.records), action.window.start, action.window.state) == (
        [3],
        START + 60,
        {},
    )


def test_a_window_closes_two_minutes_after_its_end() -> None:
    lane, _ = tried(windowed(1), WINDOWS, Succeeded({"n": 1}))
    since = START - EPOCH
    _, action = machine.decide(lane, WINDOWS, at(since + 100))
    assert action == Wait(since + 180)
    _, action = machine.decide(lane, WINDOWS, at(since + 180))
    assert isinstance(action, Invoke)
    assert action.final


def test_the_end_of_the_shard_closes_its_window() -> None:
    lane, _ = tried(windowed(1), WINDOWS, Succeeded({"n": 1}))
    lane = machine.end(lane)
    assert not lane.finished
    lane, action = machine.decide(lane, WINDOWS, at(0))
    assert isinstance(action, Invoke)
    assert action.final
    assert machine.settle(lane, WINDOWS, Succeeded({}), at(0)).finished


def test_a_state_over_1_mb_ends_the_window_early() -> None:
    big = {"x": "x" * (1024 * 1024)}
    lane, _ = tried(windowed(1, 2), Rules(window_s=60, batch_size=1), Succeeded(big))
    lane, action = machine.decide(lane, WINDOWS, at(0))
    assert isinstance(action, Invoke)
    assert action.window is not None
    assert (action.final, action.window.terminated_early) == (True, True)
    lane = machine.settle(lane, WINDOWS, Succeeded({}), at(0))
    lane, action = machine.decide(lane, WINDOWS, at(0))
    assert isinstance(action, Invoke)
    assert action.window is not None
    assert (numbers(action.records), action.window.state) == ([2], {})


def test_the_last_invocation_of_a_window_is_tried_until_it_succeeds() -> None:
    rules = Rules(window_s=60, retries=0, backoff_first_s=0)
    lane, _ = tried(windowed(1, 61), rules, Succeeded({"n": 1}))
    for _ in range(5):
        lane, action = machine.decide(lane, rules, at(0))
        assert isinstance(action, Invoke)
        assert action.final
        lane = machine.settle(lane, rules, FAILED, at(0))
    lane, _ = tried(lane, rules, Succeeded({}))
    assert invoked(lane, rules)[1] == [2]


def test_a_batch_that_is_given_up_leaves_the_state_of_its_window() -> None:
    rules = Rules(window_s=60, retries=0, batch_size=1)
    lane, _ = tried(windowed(1, 2, 3), rules, Succeeded({"n": 1}))
    lane, _ = tried(lane, rules, FAILED)
    lane, action = machine.decide(lane, rules, at(0))
    assert isinstance(action, Discard)
    lane = machine.discarded(lane, action.records)
    lane, action = machine.decide(lane, rules, at(0))
    assert isinstance(action, Invoke)
    assert action.window is not None
    assert (numbers(action.records), action.window.state) == ([3], {"n": 1})
