"""What a function's answer means for its batch."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.streams.worker import MappingSettings
from clew.streams.worker.outcome import Failed, Partial, Succeeded, read_answer

from .making import ARN

PLAIN = MappingSettings(ARN, "LATEST")
REPORTING = dataclasses.replace(PLAIN, report_batch_item_failures=True)
WINDOWED = dataclasses.replace(PLAIN, tumbling_window_s=60)
SEQUENCES = ["10", "11", "12"]


def failures(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}


@pytest.mark.parametrize(
    "answer",
    [None, "", {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"statusCode": 200}],
)
def test_complete_success(answer: Any) -> None:
    assert read_answer(answer, SEQUENCES, REPORTING) == Succeeded()


@pytest.mark.parametrize(
    "answer",
    [
        failures(""),
        failures(None),
        failures("99"),
        failures("12", "99"),
        failures(12),
        {"batchItemFailures": [{"id": "12"}]},
        {"batchItemFailures": ["12"]},
        {"batchItemFailures": {"itemIdentifier": "12"}},
        {"batchItemFailures": "12"},
        "done",
        [],
        1,
        True,
    ],
)
def test_complete_failure(answer: Any) -> None:
    outcome = read_answer(answer, SEQUENCES, REPORTING)
    assert isinstance(outcome, Failed)
    assert outcome.function_error == ""  # the function itself did not fail
    assert outcome.error


def test_the_lowest_of_several_is_the_checkpoint() -> None:
    assert read_answer(failures("12", "11"), SEQUENCES, REPORTING) == Partial(1)


def test_nothing_is_done_if_the_first_record_failed() -> None:
    assert isinstance(read_answer(failures("12", "10"), SEQUENCES, REPORTING), Failed)


def test_the_lowest_is_by_place_and_not_by_letters() -> None:
    assert read_answer(failures("10", "9"), ["8", "9", "10"], REPORTING) == Partial(1)


@pytest.mark.parametrize("answer", [failures("10"), "done", [], None])
def test_without_reporting_the_answer_says_nothing(answer: Any) -> None:
    assert read_answer(answer, SEQUENCES, PLAIN) == Succeeded()


@pytest.mark.parametrize("answer", [None, {}, {"State": {}}, "state", []])
def test_a_window_needs_a_state_in_the_answer(answer: Any) -> None:
    outcome = read_answer(answer, SEQUENCES, WINDOWED)
    assert isinstance(outcome, Failed)
    assert "no state" in outcome.error


def test_a_window_gets_its_state_from_the_answer() -> None:
    assert read_answer({"state": {"n": 1}}, SEQUENCES, WINDOWED) == Succeeded({"n": 1})
    both = dataclasses.replace(WINDOWED, report_batch_item_failures=True)
    answer = {"state": {"n": 1}, **failures("12")}
    assert read_answer(answer, SEQUENCES, both) == Partial(2, {"n": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(failures=JSON, others=st.dictionaries(st.text(), JSON, max_size=3))
def test_any_answer_means_something(failures: Any, others: dict[str, Any]) -> None:
    outcome = read_answer({**others, "batchItemFailures": failures}, SEQUENCES, REPORTING)
    assert isinstance(outcome, Succeeded | Partial | Failed)
    if isinstance(outcome, Succeeded):
        assert not failures or not isinstance(failures, list)


@settings(deadline=None)
@given(failed=st.sets(st.integers(0, 2), min_size=1))
def test_everything_from_the_lowest_comes_again(failed: set[int]) -> None:
    outcome = read_answer(failures(*(SEQUENCES[each] for each in failed)), SEQUENCES, REPORTING)
    if 0 in failed:
        assert isinstance(outcome, Failed)
    else:
        assert outcome == Partial(min(failed))
