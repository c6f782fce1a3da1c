"""What comes next for a record that failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from clew.streams.decide import AGAIN, DEAD_LETTER, LATER, RETURN, SKIP, decide
from clew.streams.policy import Policy, Retry

DEAD = clew.dead_letter("arn:aws:sqs:us-east-1:000000000000:dead")
LASTS = {RETURN: clew.halt(), SKIP: clew.skip(), DEAD_LETTER: DEAD}


def what(policy: Policy, **known: object) -> str:
    given_: dict[str, object] = {
        "attempts": 1,
        "elapsed_s": 0.0,
        "left_s": 60.0,
        "chance": 0.0,
        **known,
    }
    error = given_.pop("error", KeyError("x"))
    return decide(policy, error, **given_).what  # type: ignore[arg-type]


@pytest.mark.parametrize(("found", "policy"), LASTS.items())
def test_without_attempts_the_policy_is_all(found: str, policy: Policy) -> None:
    assert what(policy) == found
    assert what(policy, permanent=True) == found
    assert what(policy, left_s=-1) == found


@pytest.mark.parametrize(("found", "then"), LASTS.items())
def test_attempts_end_by_number_and_by_time(found: str, then: Policy) -> None:
    policy = clew.retry(times=2, within="5s", backoff="1s", then=then)
    assert [what(policy, attempts=number) for number in (1, 2, 3)] == [AGAIN, AGAIN, found]
    assert what(policy, elapsed_s=3.9) == AGAIN
    assert what(policy, elapsed_s=4.1) == found, "the wait would end after five seconds"


def test_short_time_returns_and_never_gives_up() -> None:
    policy = clew.retry(times=2, backoff="1s", then=DEAD)
    assert what(policy, left_s=1.1) == AGAIN
    assert what(policy, left_s=1.0) == RETURN
    assert what(policy, left_s=1.0, attempts=3) == DEAD_LETTER, "its attempts are used up"


def test_some_errors_are_not_worth_an_attempt() -> None:
    policy = clew.retry(times=2, unless=(ValueError, TypeError), then=clew.skip())
    assert what(policy, error=KeyError()) == AGAIN
    assert what(policy, error=UnicodeDecodeError("utf-8", b"", 0, 1, "")) == SKIP
    assert what(policy, permanent=True) == SKIP
    single = clew.retry(times=2, unless=ValueError, then=clew.skip())
    assert what(single, error=ValueError()) == SKIP


def test_the_queue_waits_when_the_function_has() -> None:
    later = clew.retry(times=2, within="1h", backoff="30s", in_queue=True, then=DEAD)
    policy = clew.retry(times=1, then=later)
    assert what(policy, attempts=1) == AGAIN
    assert [what(policy, attempts=2, receives=number) for number in (1, 2, 3)] == [
        LATER,
        LATER,
        DEAD_LETTER,
    ]
    assert what(policy, attempts=2, age_s=3580) == DEAD_LETTER
    waits = [
        decide(
            later, KeyError(), attempts=1, elapsed_s=0, left_s=60, chance=0, receives=number
        ).wait_s
        for number in (1, 2)
    ]
    assert waits == [30, 60]


@given(
    times=st.integers(1, 20),
    backoff=st.floats(0, 10),
    within=st.none() | st.floats(0.01, 100),
    left=st.floats(0, 100),
    chances=st.lists(st.floats(0, 1), min_size=25, max_size=25),
    took=st.floats(0, 3),
)
def test_attempts_are_bounded(
    times: int, backoff: float, within: float | None, left: float, chances: list[float], took: float
) -> None:
    policy = clew.retry(times, within, backoff, then=clew.skip())
    assert isinstance(policy, Retry)
    elapsed = 0.0
    for attempts, chance in enumerate(chances, 1):
        elapsed += took
        found = decide(
            policy,
            KeyError(),
            attempts=attempts,
            elapsed_s=elapsed,
            left_s=left - elapsed,
            chance=chance,
        )
        if found.what != AGAIN:
            break
        assert 0 <= found.wait_s <= 60
        assert found.wait_s <= backoff * 2 ** (attempts - 1)
        elapsed += found.wait_s
        assert elapsed < left, "no attempt begins when the time is up"
        assert within is None or elapsed <= within
    assert found.what in (SKIP, RETURN)
    assert attempts <= times + 1
    if found.what == RETURN:
        assert found.why
