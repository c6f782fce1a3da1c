"""What became of an invocation, read from what the function returned.

The rules are those of the Lambda developer guide, "Configuring partial batch response with
Kinesis Data Streams and Lambda" and "Implementing stateful Kinesis Data Streams processing in
Lambda".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.streams.worker.settings import MappingSettings

_FAILURES = "batchItemFailures"
_IDENTIFIER = "itemIdentifier"
_STATE = "state"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The whole batch is done."""

    #: What a function with a tumbling window returned as its state.
    state: Any = None


@dataclass(frozen=True, slots=True)
class Partial:
    """The records before ``index`` are done, those from it on are to come again."""

    #: At least 1: with 0 nothing is done, and that is `Failed`.
    index: int
    state: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The function had the batch and failed, or its answer means that it did."""

    error: str
    #: What Lambda calls the failure ("Unhandled"), or "" where the function answered.
    function_error: str = "Unhandled"


@dataclass(frozen=True, slots=True)
class NotInvoked:
    """The batch did not reach the function: throttled, or the service failed."""

    error: str


Outcome = Succeeded | Partial | Failed | NotInvoked


def read_answer(answer: Any, sequences: Sequence[str], settings: MappingSettings) -> Outcome:
    """What a function's answer says of a batch.

    Args:
        answer: What it returned, as JSON values.
        sequences: The sequence numbers of the batch, in order.
        settings: Whether partial answers are read, and whether there has to be a state.
    """
    state = None
    if settings.tumbling_window_s:
        if not isinstance(answer, dict) or _STATE not in answer:
            return Failed("the answer has no state, which a tumbling window needs", "")
        state = answer[_STATE]
    if not settings.report_batch_item_failures or answer in (None, "", {}):
        return Succeeded(state)
    if not isinstance(answer, dict):
        return Failed(f"the answer is neither an object nor empty: {_short(answer)}", "")
    failures = answer.get(_FAILURES)
    if failures is None or failures == []:
        return Succeeded(state)
    if not isinstance(failures, list):
        return Failed(f"{_FAILURES} is not a list: {_short(failures)}", "")
    return _partial(failures, {sequence: at for at, sequence in enumerate(sequences)}, state)


def _partial(failures: list[Any], places: Mapping[str, int], state: Any) -> Outcome:
    lowest = len(places)
    for failure in failures:
        identifier = failure.get(_IDENTIFIER) if isinstance(failure, dict) else None
        if not isinstance(identifier, str) or identifier not in places:
            return Failed(f"{_short(failure)} names no record of the batch", "")
        lowest = min(lowest, places[identifier])
    if lowest == 0:
        return Failed("the first record of the batch failed", "")
    return Partial(lowest, state)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
