"""Batches that nobody hopes for: repeats within them, huge ones, clocks that jump, slow tables."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams import clients, outbox
from clew.streams.deadline import Deadline
from clew.streams.letters import write_in_time
from clew.streams.target import parse
from log.lines import logged

from .making import (
    Context,
    event,
    first_left_over,
    kinesis,
    number_of,
    outcomes,
    said,
    sqs,
    stream_of,
)
from .queues import large, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud

_numbers = itertools.count(1)


@pytest.fixture
def table(cloud: LocalCloud, in_cloud: None) -> Iterator[str]:
    """A table of what was done."""
    name = f"hostile-{next(_numbers)}"
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    yield name
    cloud.client("dynamodb").delete_table(TableName=name)


def in_every_way(each: Callable[[Any], object]) -> list[tuple[Any, dict[str, Any]]]:
    """A function of one record in each of the ways in which records are run, with its options."""

    async def one(record: Any) -> None:
        each(record)

    def many(records: list[Any]) -> None:
        for record in records:
            try:
                each(record)
            except KeyError as error:
                record.fail(error)

    async def many_async(records: list[Any]) -> None:
        many(records)

    return [
        (each, {}),
        (each, {"lanes": 3}),
        (one, {}),
        (one, {"lanes": 3}),
        (many, {"batch": True}),
        (many_async, {"batch": True}),
    ]


WAYS = ("one at a time", "lanes", "async", "async lanes", "batch", "async batch")


@pytest.mark.parametrize("way", range(6), ids=WAYS)
def test_a_record_that_is_in_a_batch_twice_is_run_once(table: str, way: int) -> None:
    seen: list[int] = []
    failing = {3}

    def each(record: Any) -> None:
        seen.append(number_of(record))
        if number_of(record) in failing:
            raise KeyError

    function, options = in_every_way(each)[way]
    handler = clew.sqs_handler(
        on_failure=clew.skip(), idempotency=clew.idempotency(table), **options
    )(function)
    twice = event([sqs(number, "") for number in (0, 1, 1, 2, 3, 3, 0)])
    with logged() as lines:
        assert handler(twice, Context()) == {"batchItemFailures": []}, "nothing waits for itself"
    assert sorted(seen) == [0, 1, 2, 3]
    assert sorted(outcomes(lines)) == ["done"] * 6 + ["skipped"]


@pytest.mark.parametrize("way", range(6), ids=WAYS)
def test_a_record_that_is_in_a_batch_twice_is_returned_twice(table: str, way: int) -> None:
    def each(record: Any) -> None:
        if number_of(record) == 1:
            raise KeyError

    function, options = in_every_way(each)[way]
    handler = clew.sqs_handler(
        on_failure=clew.halt(), idempotency=clew.idempotency(table), **options
    )(function)
    with logged():
        answer = handler(event([sqs(number, "") for number in (0, 1, 1)]), Context())
    named = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert named == ["message-1"] * 2


def test_a_table_that_is_slow_leaves_time_for_the_function(cloud: LocalCloud, table: str) -> None:
    seen: list[int] = []

    @clew.kinesis_handler(batch=True, on_failure=clew.halt(), idempotency=clew.idempotency(table))
    def many(records: list[clew.KinesisRecord]) -> None:
        seen.extend(map(number_of, records))

    clients.client("dynamodb")
    with cloud.faults.during("dynamodb", latency_s=0.1), logged() as lines:
        answer = many(stream_of(100), Context(6.0))
    assert 0 < len(seen) < 100
    assert first_left_over(answer) == len(seen)
    assert outcomes(lines) == ["done"] * len(seen) + ["returned"] * (100 - len(seen))
    (why,) = {line["why"] for line in said(lines, "records returned that were not run")}
    assert why == "the function's time is nearly up"


@pytest.mark.parametrize("lanes", [None, 8])
def test_ten_thousand_records_some_of_which_fail(lanes: int | None) -> None:
    seen: dict[int, list[int]] = {key: [] for key in range(50)}

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=lanes)
    def each(record: clew.KinesisRecord) -> None:
        seen[int(record.partition_key)].append(number_of(record))
        if number_of(record) % 500 == 7:
            raise KeyError

    many = [kinesis(number, str(number % 50)) for number in range(10_000)]
    with logged() as lines:
        assert each(event(many), Context(300.0)) == {"batchItemFailures": []}
    assert len(said(lines, "record skipped")) == 20
    assert all(numbers == list(range(key, 10_000, 50)) for key, numbers in seen.items())


def test_a_target_that_refuses_thousands_is_asked_no_more(
    in_cloud: None,
) -> None:
    missing = "arn:aws:sqs:us-east-1:000000000000:no-such-queue"

    @clew.kinesis_handler(on_failure=clew.dead_letter(missing))
    def each(record: clew.KinesisRecord) -> None:
        raise KeyError

    with logged() as lines:
        answer = each(event([kinesis(n, "one key") for n in range(5_000)]), Context(60.0))
    assert first_left_over(answer) == 0
    problems = said(lines, "record returned")
    assert 1 <= len(problems) <= 10, "what comes behind is returned without being run"
    assert "QueueDoesNotExist" in str(problems[0]) or "NonExistentQueue" in str(problems[0])


def test_a_clock_that_jumps_changes_no_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    true_time, jumps = time.time, itertools.cycle([0.0, -86_400.0, 86_400.0, -3.0])
    attempts: list[int] = []

    @clew.kinesis_handler(
        on_failure=clew.retry(times=3, within="30s", backoff="1ms", then=clew.skip())
    )
    def each(record: clew.KinesisRecord) -> None:
        attempts.append(number_of(record))
        raise KeyError

    with logged() as lines:
        monkeypatch.setattr(time, "time", lambda: true_time() + next(jumps))
        assert each(stream_of(2), Context()) == {"batchItemFailures": []}
        monkeypatch.undo()
    assert attempts == [0] * 4 + [1] * 4
    assert outcomes(lines) == ["skipped"] * 2


@pytest.mark.parametrize("left_s", [1.0, -1.0])
def test_a_target_that_does_not_answer_takes_no_report_with_it(
    left_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def write(policy: Any, letters: list[Any]) -> list[str]:
        answers.wait(60)
        return [""] * len(letters)

    monkeypatch.setattr(outbox, "write", write)
    policy: Any = clew.dead_letter("arn:aws:sqs:us-east-1:000000000000:dead")
    waiting: Any = SimpleNamespace(letter=None)
    deadline = Deadline(60.0)
    deadline.write_by = time.perf_counter() + left_s
    (given_up,) = write_in_time([(policy, waiting)], deadline)
    assert given_up.problem == "there was no answer while there was time for one"
    answers.set()
    (written,) = write_in_time([(policy, waiting)], Deadline(60.0))
    assert (written.problem, written.waiting) == ("", waiting)


def test_a_bucket_that_refuses_returns_its_records_only(
    cloud: LocalCloud, queue: tuple[str, str], in_cloud: None
) -> None:
    url, _ = queue
    policy = clew.dead_letter(url, claim_check="s3://no-such-bucket-anywhere/claims")

    @clew.sqs_handler(on_failure=policy)
    def each(record: clew.SqsRecord) -> None:
        raise KeyError

    small, big = sqs(0, ""), sqs(1, "")
    big["body"] = large(1, 300_000)["kinesis"]["data"]
    with logged() as lines:
        answer = each(event([small, big, sqs(2, "")]), Context())
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-1"]
    assert outcomes(lines) == ["dead-lettered", "returned", "dead-lettered"]
    assert len(messages(cloud, url, 2)) == 2


def test_records_of_a_megabyte_are_run_and_dead_lettered(
    cloud: LocalCloud, queue: tuple[str, str], in_cloud: None
) -> None:
    url, _ = queue
    bucket = f"claims-{next(_numbers)}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    policy = clew.dead_letter(url, claim_check=f"s3://{bucket}/claims")

    @clew.kinesis_handler(on_failure=policy, lanes=3)
    def each(record: clew.KinesisRecord) -> None:
        raise KeyError(len(record.data))

    with logged() as lines:
        answer = each(event([large(number, 1_048_000) for number in range(2)]), Context())
    assert answer == {"batchItemFailures": []}
    assert outcomes(lines) == ["dead-lettered"] * 2
    assert len(cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]) == 2


@pytest.mark.parametrize("lanes", [None, 2])
def test_what_ends_a_process_comes_out_of_a_decoder_too(lanes: Any) -> None:
    def decode(data: bytes) -> Any:
        raise KeyboardInterrupt

    handler = clew.kinesis_handler(on_failure=clew.skip(), lanes=lanes, decode=decode)(print)
    with logged(), pytest.raises(KeyboardInterrupt):
        handler(stream_of(2), Context())


def test_a_coroutine_that_will_not_be_cancelled_gets_no_other_record() -> None:
    seen: list[int] = []
    ended = threading.Event()

    @clew.kinesis_handler(on_failure=clew.skip(), lanes=1)
    async def each(record: clew.KinesisRecord) -> None:
        seen.append(number_of(record))
        if number_of(record) == 0 and not ended.is_set():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.set()
                await asyncio.sleep(0.3)

    with logged() as lines:
        assert first_left_over(each(stream_of(3), Context(2.0))) == 0
    wide = [line for line in lines if line["message"] == "invocation"][-1]
    assert [one["outcome"] for one in wide["received"]] == ["returned"] * 3
    with logged() as lines:
        assert first_left_over(each(stream_of(3), Context())) is None
    assert outcomes(lines) == ["done"] * 3
    assert seen == [0, 0, 1, 2]


def test_what_ends_a_process_comes_out_of_a_coroutine_that_is_cancelled() -> None:
    @clew.kinesis_handler(on_failure=clew.skip(), batch=True)
    async def many(records: list[clew.KinesisRecord]) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise SystemExit(3) from None

    with logged() as lines, pytest.raises(SystemExit):
        many(stream_of(2), Context(2.0))
    wide = [line for line in lines if line["message"] == "invocation"][-1]
    assert [one["outcome"] for one in wide["received"]] == ["failed"] * 2


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
        ("vpce-0a1b.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("queue.amazonaws.com", ""),
        ("sqs.amazonaws.com", ""),
        ("127.0.0.1:4566", ""),
    ],
)
def test_a_queue_of_another_region_is_asked_there(host: str, region: str) -> None:
    assert parse(f"https://{host}/123456789012/dead").region == region
