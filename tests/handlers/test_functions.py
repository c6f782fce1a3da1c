"""What cannot be decorated is refused at once, in one sentence: it would seem to work."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import clew

from .every import api, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

clew_any: Any = clew
PLAIN: dict[str, Callable[[Any], Any]] = {
    "handler": clew_any.handler,
    "handler()": clew_any.handler(debug_sample_rate=0),
    "api_handler": clew_any.api_handler,
    "api_handler()": clew_any.api_handler(debug_sample_rate=0),
    "authorizer_handler": clew_any.authorizer_handler,
    "authorizer_handler()": clew_any.authorizer_handler(debug_sample_rate=0),
    "firehose_handler": clew_any.firehose_handler(on_failure=clew.skip()),
}
OF_RECORDS: dict[str, Callable[[Any], Any]] = {
    "sns_handler": clew_any.sns_handler,
    "kinesis_handler": clew_any.kinesis_handler(on_failure=clew.halt()),
    "kinesis_handler batch": clew_any.kinesis_handler(on_failure=clew.halt(), batch=True),
    "sqs_handler": clew_any.sqs_handler(on_failure=clew.halt()),
    "dynamodb_handler": clew_any.dynamodb_handler(on_failure=clew.halt()),
    "kafka_handler": clew_any.kafka_handler(on_failure=clew.halt()),
    "retry_handler": clew_any.retry_handler(on_failure=clew.halt()),
}
EVERY = PLAIN | OF_RECORDS


async def coroutine(*_: Any) -> None:
    raise AssertionError


def generator(*_: Any) -> Iterator[int]:
    yield 1


async def async_generator(*_: Any) -> Any:
    yield 1


class Called:
    async def __call__(self, *_: Any) -> None:
        raise AssertionError

    async def method(self, *_: Any) -> None:
        raise AssertionError


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("function", [coroutine, partial(coroutine, 1), Called(), Called().method])
def test_what_nobody_would_await(name: str, function: Any) -> None:
    with pytest.raises(clew.ClewError, match=r"is a coroutine function .* asyncio\.run"):
        PLAIN[name](function)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("function", [generator, async_generator])
def test_what_nobody_would_iterate(name: str, function: Any) -> None:
    with pytest.raises(clew.ClewError, match="generator is a generator function"):
        EVERY[name](function)


@pytest.mark.parametrize("name", OF_RECORDS)
def test_a_coroutine_function_of_records_is_awaited(name: str) -> None:
    assert callable(OF_RECORDS[name](coroutine))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("function", ["x", 5])
def test_what_is_no_function(name: str, function: Any) -> None:
    with pytest.raises(clew.ClewError, match="A handler decorates a function, not "):
        EVERY[name](function)


@pytest.mark.parametrize(
    "name",
    [
        "kinesis_handler",
        "sqs_handler",
        "dynamodb_handler",
        "kafka_handler",
        "firehose_handler",
        "retry_handler",
    ],
)
def test_options_that_are_left_out_with_their_parentheses(name: str) -> None:
    def each(record: Any) -> None:
        raise AssertionError

    with pytest.raises(clew.ClewError, match=rf"write @clew\.{name}\(on_failure=clew\.halt\(\)\)"):
        getattr(clew, name)(each)


@pytest.mark.parametrize("make", [api, plain])
def test_a_lambda_a_partial_and_an_object_are_functions(make: Any) -> None:
    class Plain:
        def __call__(self, _: Any) -> str:
            return "called"

    assert make(Plain())({}, None) == "called"
    assert clew_any.handler(partial(lambda word, *_: word, "called"))({}, None) == "called"
    assert clew_any.handler(lambda *_: "called")({}, None) == "called"
