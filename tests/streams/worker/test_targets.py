"""A Python function as a target: what Lambda's runtime would make of what it does."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from clew.streams.worker import FunctionTarget, WorkerError

EVENT: dict[str, Any] = {"Records": []}


def test_what_it_returns_is_what_json_makes_of_it() -> None:
    answer = FunctionTarget(lambda _event, _context: {"batchItemFailures": (1, 2)}).invoke(EVENT)
    assert answer.value == {"batchItemFailures": [1, 2]}
    assert FunctionTarget(lambda _event, _context: None).invoke(EVENT).value is None


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", {"a": object()}])
def test_what_is_not_json_is_a_function_error(value: object) -> None:
    answer = FunctionTarget(lambda _event, _context: value).invoke(EVENT)
    assert answer.error.startswith("Runtime.MarshalError: the answer is not JSON")
    assert answer.invoked


def test_an_answer_that_holds_itself_is_a_function_error() -> None:
    ring: list[Any] = []
    ring.append(ring)
    answer = FunctionTarget(lambda _event, _context: ring).invoke(EVENT)
    assert "Runtime.MarshalError" in answer.error


class Unsayable(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no"), "ValueError: no ("),
        (SystemExit(3), "SystemExit: 3 ("),
        (Unsayable(), "Unsayable"),
    ],
)
def test_what_it_raises_is_a_function_error(error: BaseException, said: str) -> None:
    def fail(_event: object, _context: object) -> None:
        raise error

    answer = FunctionTarget(fail).invoke(EVENT)
    assert answer.error.startswith(said)
    assert answer.function_error == "Unhandled"


def test_the_context_is_lambdas() -> None:
    seen: list[Any] = []
    target = FunctionTarget(lambda _event, context: seen.append(context), name="f", timeout_s=60)
    answer = target.invoke(EVENT)
    (context,) = seen
    assert 59_000 < context.get_remaining_time_in_millis() <= 60_000
    assert context.function_name == "f"
    assert context.invoked_function_arn == target.function_arn
    assert context.function_version == "$LATEST"
    assert context.log_group_name == "/aws/lambda/f"
    assert context.aws_request_id == answer.request_id
    assert context.memory_limit_in_mb
    assert context.identity is context.client_context is None


def test_no_time_is_left_when_it_is_over() -> None:
    target = FunctionTarget(
        lambda _event, context: context.get_remaining_time_in_millis(), timeout_s=-1
    )
    assert target.invoke(EVENT).value == 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_it_runs_no_more_often_at_once_than_it_may(concurrency: int) -> None:
    at_once, most, lock = [0], [0], threading.Lock()
    full = threading.Barrier(concurrency)

    def handler(_event: object, _context: object) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        full.wait(10)  # so that as many as may be are in here
        with lock:
            at_once[0] -= 1

    target = FunctionTarget(handler, concurrency=concurrency)
    threads = [threading.Thread(target=target.invoke, args=(EVENT,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] == concurrency


def test_what_cannot_be_run_gets_one_sentence() -> None:
    with pytest.raises(WorkerError, match="has to be at least 1, not 0"):
        FunctionTarget(print, concurrency=0)
    with pytest.raises(WorkerError, match="is not a function"):
        FunctionTarget("text", name="text").check()  # type: ignore[arg-type]


def test_time_passes_for_a_function() -> None:
    def handler(_event: object, context: Any) -> bool:
        before = context.get_remaining_time_in_millis()
        deadline = time.monotonic() + 5
        while context.get_remaining_time_in_millis() == before and time.monotonic() < deadline:
            pass
        return bool(context.get_remaining_time_in_millis() < before)

    assert FunctionTarget(handler).invoke(EVENT).value is True
