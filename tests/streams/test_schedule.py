"""Which record runs next where several run at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clew.streams.schedule import Schedule, Turn


@given(
    keys=st.lists(st.sampled_from("abcd"), max_size=30),
    lanes=st.integers(1, 5),
    stopping=st.sets(st.integers(0, 29)),
    data=st.data(),
)
def test_a_key_is_in_one_lane_at_a_time_and_in_order(
    keys: list[str], lanes: int, stopping: set[int], data: st.DataObject
) -> None:
    records: Any = list(range(len(keys)))
    schedule = Schedule(records, lambda record: keys[record])  # type: ignore[call-overload]
    assert schedule.keys == len(set(keys))
    hands: list[Turn] = [turn for _ in range(lanes) if (turn := schedule.take())]
    seen: list[int] = []
    while hands:
        in_hand = [keys[turn.record] for turn in hands]  # type: ignore[call-overload]
        assert len(set(in_hand)) == len(in_hand) <= lanes
        turn = hands.pop(data.draw(st.integers(0, len(hands) - 1)))
        number: int = turn.record  # type: ignore[assignment]
        seen.append(number)
        following = schedule.take(turn, goes_on=number not in stopping)
        if following is not None:
            hands.append(following)
    for key in set(keys):
        of_key = [n for n in range(len(keys)) if keys[n] == key]
        stop = next((at for at, n in enumerate(of_key) if n in stopping), len(of_key))
        assert [n for n in seen if keys[n] == key] == of_key[: stop + 1]


def test_the_oldest_goes_first_so_that_little_comes_again() -> None:
    records: Any = list(range(6))
    schedule = Schedule(records, lambda record: "hot" if record < 4 else str(record))  # type: ignore[operator]
    order: list[Any] = []
    turn = schedule.take()
    while turn is not None:
        order.append(turn.record)
        turn = schedule.take(turn)
    assert order == [0, 1, 2, 3, 4, 5]


def test_a_closed_one_gives_nothing_out() -> None:
    records: Any = [0, 1]
    schedule = Schedule(records, lambda record: "key")
    turn = schedule.take()
    assert turn is not None
    assert turn.more
    schedule.close()
    assert schedule.take(turn) is None
