"""Records that were done are not done again, in a real table."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams.envelope import unseal
from log.lines import invocation, logged, warnings

from .making import Context, event, kinesis, number_of, sqs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud
    from conftest import Until

pytestmark = pytest.mark.usefixtures("in_cloud")
_numbers = itertools.count(1)


@pytest.fixture
def table(cloud: LocalCloud) -> Iterator[str]:
    """A table as the reference has it in its template."""
    client = cloud.client("dynamodb")
    name = f"done-{next(_numbers)}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    yield name
    client.delete_table(TableName=name)


def batch(*numbers: int) -> dict[str, Any]:
    return event([kinesis(number, f"key-{number}") for number in numbers])


def outcomes(lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["outcome"], one["attempts"]) for one in invocation(lines)["received"]]


def items(cloud: LocalCloud, table: str) -> dict[str, Any]:
    found = cloud.client("dynamodb").scan(TableName=table)["Items"]
    return {item["id"]["S"]: item for item in found}


@pytest.fixture(params=["one at a time", "lanes", "async", "batch"])
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a handler of a function, in each of the ways in which records are run."""
    how = request.param

    def made(each: Callable[[Any], object], **options: Any) -> Any:
        function: Any = each
        if how == "async":

            async def function(record: Any) -> None:
                each(record)

        if how == "batch":

            def function(records: list[Any]) -> None:
                for record in records:
                    try:
                        each(record)
                    except (KeyError, AttributeError) as error:
                        record.fail(error)

        more = {"lanes": 2} if how == "lanes" else {"batch": True} if how == "batch" else {}
        return clew.kinesis_handler(**more, **options)(function)

    return made


def test_a_record_that_was_done_is_not_run_again(table: str, make: Callable[..., Any]) -> None:
    seen: list[int] = []
    failing = [1]

    def each(record: Any) -> None:
        if number_of(record) in failing:
            raise KeyError
        seen.append(number_of(record))

    handler = make(each, on_failure=clew.skip(), idempotency=clew.idempotency(table))
    with logged() as lines:
        assert handler(batch(0, 2), Context(request_id="first")) == {"batchItemFailures": []}
    assert outcomes(lines) == [("done", 1)] * 2
    with logged() as lines:
        handler(batch(0, 2, 3), Context(request_id="second"))
    assert outcomes(lines) == [("done", 0), ("done", 0), ("done", 1)]
    assert sorted(seen) == [0, 2, 3]


def test_what_is_returned_is_free_for_the_next_attempt(
    cloud: LocalCloud, table: str, make: Callable[..., Any]
) -> None:
    seen: list[int] = []
    failing = {1}

    def each(record: Any) -> None:
        if number_of(record) in failing:
            raise KeyError
        seen.append(number_of(record))

    handler = make(each, on_failure=clew.halt(), idempotency=clew.idempotency(table, ttl="1h"))
    with logged():
        handler(batch(0, 1), Context(request_id="first"))
    assert [item["state"]["S"] for item in items(cloud, table).values()] == ["done"]
    failing.clear()
    with logged() as lines:
        assert handler(batch(0, 1), Context(request_id="second")) == {"batchItemFailures": []}
    assert outcomes(lines) == [("done", 0), ("done", 1)]
    assert sorted(seen) == [0, 1]
    for item in items(cloud, table).values():
        assert 0 < int(item["expires"]["N"]) - time.time() <= 3600
        assert "until" not in item


def test_what_was_given_up_is_not_given_up_twice_but_may_be_put_again(
    cloud: LocalCloud, table: str
) -> None:
    sqs_client = cloud.client("sqs")
    url = sqs_client.create_queue(QueueName=f"dead-{table}")["QueueUrl"]
    seen: list[int] = []
    broken = [True]

    def each(record: Any) -> None:
        if broken[0]:
            raise KeyError
        seen.append(number_of(record))

    once = clew.idempotency(table)
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(url), idempotency=once)(each)
    with logged() as lines:
        handler(batch(0), Context(request_id="first"))
        handler(batch(0), Context(request_id="again"))
    wides = [line for line in lines if line["message"] == "invocation"]
    assert [one["received"][0]["outcome"] for one in wides] == ["dead-lettered", "done"]
    received = sqs_client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert len(received) == 1, "a repeat of a record is no second dead letter"

    broken[0] = False
    letter = unseal(received[0]["Body"])
    came = event([{**sqs(0, ""), "body": received[0]["Body"]}])
    again = clew.retry_handler(on_failure=clew.halt(), idempotency=once)(each)
    with logged() as lines:
        again(came, Context(request_id="redrive"))
        again(came, Context(request_id="redriven twice"))
    assert seen == [0], "a redrive is run, and its repeat is not"
    # Put into the stream, it has another place by now, and is known all the same.
    from base64 import b64encode

    raw = kinesis(77, "key-0")
    raw["kinesis"]["data"] = b64encode(letter.to_source()).decode()
    with logged() as lines:
        handler(event([raw]), Context(request_id="put again"))
    assert outcomes(lines) == [("done", 0)]
    assert seen == [0]


def test_a_record_in_hand_is_waited_for_and_then_returned(table: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    seen: list[str] = []

    def each(record: Any) -> None:
        seen.append(threading.current_thread().name)
        begun.set()
        go_on.wait(20)

    once = clew.idempotency(table, lease="1m")
    handler = clew.kinesis_handler(on_failure=clew.halt(), idempotency=once)(each)
    answers: dict[str, Any] = {}

    def invoke(name: str, timeout_s: float) -> None:
        answers[name] = handler(batch(0), Context(timeout_s, request_id=name))

    with logged():
        first = threading.Thread(target=invoke, args=("first", 60))
        first.start()
        assert begun.wait(20)
        invoke("second", 0.6)
        assert len(answers["second"]["batchItemFailures"]) == 1
        third = threading.Thread(target=invoke, args=("third", 60))
        third.start()
        go_on.set()
        first.join(20)
        third.join(20)
    assert answers["first"] == answers["third"] == {"batchItemFailures": []}
    assert len(seen) == 1


def test_what_a_crash_left_in_hand_is_run_after_its_lease(table: str, until: Until) -> None:
    seen: list[int] = []
    crash = [True]

    def each(record: Any) -> None:
        if crash[0]:
            raise SystemExit(1)
        seen.append(number_of(record))

    once = clew.idempotency(table, lease="300ms")
    handler = clew.kinesis_handler(on_failure=clew.halt(), idempotency=once)(each)
    with logged(), pytest.raises(SystemExit):
        handler(batch(0), Context(request_id="first"))
    crash[0] = False
    with logged() as lines:
        assert handler(batch(0), Context(request_id="second")) == {"batchItemFailures": []}
    assert outcomes(lines) == [("done", 1)]
    assert seen == [0]


def test_a_table_that_cannot_be_asked_returns_the_records(
    cloud: LocalCloud, table: str, make: Callable[..., Any]
) -> None:
    seen: list[Any] = []
    missing = make(seen.append, on_failure=clew.skip(), idempotency=clew.idempotency("missing"))
    with logged() as lines:
        answer = missing(batch(0, 1), Context())
    assert len(answer["batchItemFailures"]) == 1
    assert {one[0] for one in outcomes(lines)} == {"returned"}
    assert any("idempotency table" in line["message"] for line in warnings(lines))
    assert seen == []
    handler = make(seen.append, on_failure=clew.skip(), idempotency=clew.idempotency(table))
    error = "ProvisionedThroughputExceededException"
    with cloud.faults.during("dynamodb", "UpdateItem", error=error), logged() as lines:
        assert handler(batch(0), Context()) == {"batchItemFailures": []}
    assert outcomes(lines) == [("done", 1)], "it is done, and may be done twice"


def test_a_key_of_the_users_own(cloud: LocalCloud, table: str) -> None:
    keys: list[str] = []

    def key(record: Any) -> str:
        return f"post-{record.payload['n'] % 2}" if record.payload["n"] < 10 else record.missing

    once = clew.idempotency(table, key=key, name="posts")

    @clew.kinesis_handler(on_failure=clew.skip(), idempotency=once)
    def each(record: clew.KinesisRecord) -> None:
        keys.append(record.idempotency_key)

    with logged() as lines:
        each(batch(0, 1, 2, 11), Context())
    assert keys == ["post-0", "post-1"]
    assert outcomes(lines) == [("done", 1), ("done", 1), ("done", 0), ("skipped", 0)]
    assert set(items(cloud, table)) == {"posts#post-0", "posts#post-1"}


def test_two_functions_have_each_done_what_they_have_done(table: str) -> None:
    seen: list[str] = []

    class Other(Context):
        function_name = "other"

    handler = clew.kinesis_handler(on_failure=clew.halt(), idempotency=clew.idempotency(table))(
        lambda record: seen.append(record.correlation.invocation.function)
    )
    with logged():
        for context in (Context(), Other(), Context(), Other()):
            handler(batch(0), context)
    assert seen == ["timeline", "other"]


def test_retries_keep_the_lease(cloud: LocalCloud, table: str) -> None:
    leases: list[int] = []

    def each(record: Any) -> None:
        (item,) = items(cloud, table).values()
        leases.append(int(item["until"]["N"]))
        if len(leases) < 3:
            raise KeyError

    handler = clew.kinesis_handler(
        on_failure=clew.retry(5, backoff="20ms", then=clew.halt()),
        idempotency=clew.idempotency(table),
    )(each)
    with logged() as lines:
        handler(batch(0), Context())
    assert outcomes(lines) == [("done", 3)]
    assert leases == sorted(set(leases))
    assert len(leases) == 3


@pytest.mark.parametrize("nothing", [None, ""])
def test_records_without_a_key_of_their_own_are_no_repeats_of_each_other(
    make: Callable[..., Any], table: str, nothing: object
) -> None:
    """``payload.get("order")`` gives None for many: under that name all but one would be lost."""
    ran: list[int] = []
    once = clew.idempotency(table, key=lambda _record: nothing)  # type: ignore[arg-type,return-value]
    handler = make(
        lambda record: ran.append(number_of(record)), on_failure=clew.halt(), idempotency=once
    )
    with logged():
        handler(batch(1, 2, 3), Context())
    with logged() as lines:
        handler(batch(1, 2, 3), Context())
    assert sorted(ran) == [1, 2, 3]
    assert outcomes(lines) == [("done", 0)] * 3, "and each is known when it comes again"


@pytest.mark.parametrize("start", ["x" * 3_000, "\ud800", "\x1b[31m\n", "é"])
def test_a_key_that_no_table_takes_is_hashed(
    cloud: LocalCloud, make: Callable[..., Any], table: str, start: str
) -> None:
    ran: list[int] = []
    once = clew.idempotency(table, key=lambda record: f"{start}{number_of(record)}")
    handler = make(
        lambda record: ran.append(number_of(record)), on_failure=clew.halt(), idempotency=once
    )
    with logged():
        handler(batch(1, 2), Context())
        assert handler(batch(1, 2), Context()) == {"batchItemFailures": []}
    assert sorted(ran) == [1, 2]
    assert len(items(cloud, table)) == 2
