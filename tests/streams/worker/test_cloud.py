"""A worker in the local cloud: Lambda functions as targets, DynamoDB streams, several positions."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from clew.streams.worker import (
    DynamoDBLeases,
    FunctionTarget,
    LambdaTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerError,
)

from .conftest import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud

    Until = Callable[..., Any]

CODE = """
import json

def handler(event, context):
    names = [record["dynamodb"]["Keys"]["name"]["S"] if "dynamodb" in record
             else record["kinesis"]["partitionKey"] for record in event["Records"]]
    print(json.dumps({"names": names}))
    if "bad" in names:
        raise ValueError("bad came")
    if "text" in names:
        return "text"
    return {"batchItemFailures": []}
"""


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", CODE.replace("code", "handlers"))
        archive.writestr("handlers.py", CODE)
    client: Any = cloud.client("lambda")
    created = client.create_function(
        FunctionName="worker-target",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="handlers.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    arn: str = created["FunctionArn"]
    return arn


@pytest.fixture
def table(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    name = f"worker-{uuid.uuid4().hex[:8]}"
    client: Any = cloud.client("dynamodb")
    created = client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    yield name, created["TableDescription"]["LatestStreamArn"]
    client.delete_table(TableName=name)


@pytest.fixture
def stream(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    name = f"worker-{uuid.uuid4().hex[:8]}"
    client = cloud.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=1)
    summary = client.describe_stream_summary(StreamName=name)
    yield name, summary["StreamDescriptionSummary"]["StreamARN"]
    client.delete_stream(StreamName=name)


def test_a_lambda_function_is_invoked(cloud: LocalCloud, function: str) -> None:
    target = LambdaTarget(cloud.session(), "worker-target")
    target.check()
    assert target.function_arn == function
    answer = target.invoke({"Records": [{"kinesis": {"partitionKey": "good"}}]})
    assert (answer.value, answer.error, answer.invoked) == ({"batchItemFailures": []}, "", True)
    assert answer.request_id
    assert target.invoke({"Records": [{"kinesis": {"partitionKey": "text"}}]}).value == "text"


def test_a_function_that_fails_had_the_batch(cloud: LocalCloud, function: str) -> None:
    target = LambdaTarget(cloud.session(), function)
    answer = target.invoke({"Records": [{"kinesis": {"partitionKey": "bad"}}]})
    assert answer.error.endswith(": bad came")
    assert answer.function_error == "Unhandled"
    assert answer.invoked


def test_a_throttled_function_had_nothing(cloud: LocalCloud, function: str) -> None:
    client = cloud.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    try:
        answer = LambdaTarget(cloud.session(), function).invoke({"Records": []})
    finally:
        client.delete_function_concurrency(FunctionName=function)
    assert not answer.invoked
    assert "TooManyRequestsException" in answer.error


def test_a_function_that_does_not_exist_gets_one_sentence(cloud: LocalCloud) -> None:
    with pytest.raises(WorkerError, match="There is no Lambda function nobody; create it"):
        LambdaTarget(cloud.session(), "nobody").check()


def test_a_kinesis_stream_feeds_a_lambda_function(
    cloud: LocalCloud, stream: tuple[str, str], function: str, tmp_path: Path, until: Until
) -> None:
    name, arn = stream
    told: list[Any] = []
    worker = Worker(
        MappingSettings(arn, "TRIM_HORIZON", bisect_on_error=True, maximum_retry_attempts=0),
        target=LambdaTarget(cloud.session(), function),
        leases=SqliteLeases(tmp_path / "leases.db"),
        session=cloud.session(),
        options=QUICK,
        observe=told.append,
    )
    worker.start()
    client = cloud.client("kinesis")
    client.put_records(
        StreamName=name,
        Records=[{"PartitionKey": each, "Data": b"{}"} for each in ("one", "bad", "two")],
    )
    until(lambda: worker.status().discarded, "the bad one is given up")
    until(lambda: worker.status().records == 2, "the others are handled")
    worker.stop()
    (discarded,) = (event for event in told if event.kind == "batch discarded")
    assert discarded.fields["records"] == 1


def test_a_dynamodb_stream_is_read_in_the_order_of_the_changes(
    cloud: LocalCloud, table: tuple[str, str], tmp_path: Path, until: Until
) -> None:
    name, arn = table
    client = cloud.client("dynamodb")
    changes: list[dict[str, Any]] = []

    def handler(event: dict[str, Any], _context: object) -> None:
        changes.extend(event["Records"])

    def worker() -> Worker:
        started = Worker(
            MappingSettings(arn, "TRIM_HORIZON", parallelization_factor=2, batch_size=3),
            target=FunctionTarget(handler),
            leases=SqliteLeases(tmp_path / "leases.db"),
            session=cloud.session(),
            options=QUICK,
        )
        started.start()
        return started

    first = worker()
    for at in range(12):
        client.put_item(
            TableName=name,
            Item={"name": {"S": f"item-{at % 3}"}, "at": {"N": str(at)}, "raw": {"B": b"\x00\xff"}},
        )
    until(lambda: len(changes) >= 12, "all changes came")
    first.stop()
    client.delete_item(TableName=name, Key={"name": {"S": "item-0"}})
    second = worker()
    until(lambda: len(changes) >= 13, "the removal came")
    second.stop()
    json.dumps(changes)  # they are what a Lambda function can be given
    for item in ("item-0", "item-1", "item-2"):
        mine = [each for each in changes if each["dynamodb"]["Keys"]["name"]["S"] == item]
        images = [each["dynamodb"].get("NewImage", {}) for each in mine]
        assert [image["at"]["N"] for image in images if image] == [
            str(at) for at in range(12) if f"item-{at % 3}" == item
        ]
        assert images[0]["raw"]["B"] == "AP8="
    assert [each["eventName"] for each in changes].count("REMOVE") == 1
    assert {each["eventSourceARN"] for each in changes} == {arn}


def test_at_latest_a_dynamodb_restart_before_the_first_change_loses_nothing(
    cloud: LocalCloud, table: tuple[str, str], tmp_path: Path, until: Until
) -> None:
    name, arn = table
    client = cloud.client("dynamodb")
    seen: list[str] = []

    def handler(event: dict[str, Any], _context: object) -> None:
        seen.extend(each["dynamodb"]["Keys"]["name"]["S"] for each in event["Records"])

    def worker() -> Worker:
        started = Worker(
            MappingSettings(arn, "LATEST"),
            target=FunctionTarget(handler),
            leases=SqliteLeases(tmp_path / "leases.db"),
            session=cloud.session(),
            options=QUICK,
        )
        started.start()
        return started

    first = worker()
    until(lambda: first.status().shards, "it reads")
    first.stop()
    client.put_item(TableName=name, Item={"name": {"S": "between"}})
    second = worker()
    until(lambda: seen, "it came")
    second.stop()
    assert seen == ["between"]


def test_two_workers_share_a_split_stream_through_a_table(
    cloud: LocalCloud, stream: tuple[str, str], until: Until
) -> None:
    name, arn = stream
    client = cloud.client("kinesis")
    seen: list[str] = []
    mapping = uuid.uuid4().hex

    def handler(event: dict[str, Any], _context: object) -> None:
        seen.extend(each["kinesis"]["partitionKey"] for each in event["Records"])

    def worker(worker_id: str) -> Worker:
        started = Worker(
            MappingSettings(arn, "TRIM_HORIZON"),
            target=FunctionTarget(handler),
            leases=DynamoDBLeases(cloud.session(), "worker-leases"),
            session=cloud.session(),
            options=QUICK,
            mapping=mapping,
            worker_id=worker_id,
        )
        started.start()
        return started

    for at in range(50):
        client.put_record(StreamName=name, PartitionKey=f"before-{at}", Data=b"{}")
    (shard,) = client.list_shards(StreamName=name)["Shards"]
    client.split_shard(
        StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127)
    )
    for at in range(50):
        client.put_record(StreamName=name, PartitionKey=f"after-{at}", Data=b"{}")
    workers = [worker("one"), worker("two")]
    until(lambda: len(seen) >= 100, "all came")
    until(lambda: [len(each.status().shards) for each in workers] == [1, 1], "one each")
    for each in workers:
        each.stop()
    assert all(key.startswith("before") for key in seen[:50])
    assert len(set(seen)) == len(seen) == 100


def test_a_registered_consumer_is_pushed_the_records_of_split_shards(
    cloud: LocalCloud, stream: tuple[str, str], tmp_path: Path, until: Until
) -> None:
    name, arn = stream
    client = cloud.client("kinesis")
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="me")["Consumer"]
    seen: list[str] = []

    def handler(event: dict[str, Any], _context: object) -> None:
        for each in event["Records"]:
            assert each["eventSourceARN"] == consumer["ConsumerARN"]
            assert isinstance(each["kinesis"]["approximateArrivalTimestamp"], float)
            seen.append(each["kinesis"]["partitionKey"])

    def worker() -> Worker:
        started = Worker(
            MappingSettings(consumer["ConsumerARN"], "TRIM_HORIZON"),
            target=FunctionTarget(handler),
            leases=SqliteLeases(tmp_path / "leases.db"),
            session=cloud.session(),
            options=QUICK,
        )
        started.start()
        return started

    client.put_record(StreamName=name, PartitionKey="early", Data=b"{}")
    first = worker()
    until(lambda: seen, "it is pushed")
    first.stop()
    client.put_record(StreamName=name, PartitionKey="later", Data=b"{}")
    second = worker()
    until(lambda: len(seen) == 2, "it goes on")
    (shard,) = client.list_shards(StreamName=name)["Shards"]
    client.split_shard(
        StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127)
    )
    for at in range(4):
        client.put_record(StreamName=name, PartitionKey=f"child-{at}", Data=b"{}")
    until(lambda: len(seen) == 6, "the children are read")
    assert seen[:2] == ["early", "later"]
    assert sorted(seen[2:]) == [f"child-{at}" for at in range(4)]
    second.stop()
