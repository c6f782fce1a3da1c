"""Mappings on streams keep the whole contract, and can be looked at."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from clew.localcloud.state import find_cloud

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud, StreamMapping

pytestmark = pytest.mark.local_cloud

FIRST = "shardId-000000000000"
ROLE = "arn:aws:iam::000000000000:role/r"
# Prints each payload, and fails on "bad": as a whole, or by saying which record failed.
SOURCE = """
import base64, os

def handler(event, context):
    print("batch", len(event["Records"]))
    failures = []
    for record in event["Records"]:
        if "kinesis" in record:
            payload = base64.b64decode(record["kinesis"]["data"]).decode()
            number = record["kinesis"]["sequenceNumber"]
        else:
            payload = record["dynamodb"]["Keys"]["id"]["S"]
            number = record["dynamodb"]["SequenceNumber"]
        print("got", payload)
        if payload.startswith("bad"):
            if os.environ["REPORTS"] == "no":
                raise RuntimeError("told to fail")
            failures.append({"itemIdentifier": number})
            break
    return {"batchItemFailures": failures}
"""


class Consumer:
    """A function of its own, and what it was given."""

    def __init__(self, cloud: LocalCloud, name: str, *, reports: bool) -> None:
        self.cloud = cloud
        self.name = name
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", SOURCE)
        self.lambda_ = cloud.client("lambda")
        self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
            Environment={"Variables": {"REPORTS": "yes" if reports else "no"}},
        )

    def reads(self, arn: str, **settings: Any) -> dict[str, Any]:
        settings.setdefault("StartingPosition", "LATEST")
        made: dict[str, Any] = self.lambda_.create_event_source_mapping(
            EventSourceArn=arn, FunctionName=self.name, **settings
        )
        return made

    def said(self, word: str) -> list[str]:
        lines = (line.message.split() for line in self.cloud.log_lines(self.name))
        return [words[1] for words in lines if words and words[0] == word]

    def got(self) -> list[str]:
        return self.said("got")

    def mapping(self) -> StreamMapping:
        (found,) = (each for each in self.cloud.mappings() if each.function == self.name)
        return found


@pytest.fixture
def consumer(cloud: LocalCloud, request: pytest.FixtureRequest) -> Callable[..., Consumer]:
    def make(*, reports: bool = False) -> Consumer:
        return Consumer(cloud, request.node.name.replace("_", "-")[:60], reports=reports)

    return make


@pytest.fixture(scope="module")
def kinesis(cloud: LocalCloud) -> Any:
    return cloud.client("kinesis")


def _arn(stream: str) -> str:
    return f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}"


def _put(kinesis: Any, stream: str, *payloads: str, key: str = "1") -> None:
    records = [{"Data": text.encode(), "PartitionKey": key} for text in payloads]
    kinesis.put_records(StreamName=stream, Records=records)


def test_what_is_put_after_creation_is_given_once_and_in_order(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    mine.reads(_arn(stream))
    payloads = [str(number) for number in range(30)]
    for payload in payloads:
        _put(kinesis, stream, payload)
    until(lambda: payloads[-1] in mine.got(), "the last record arrives")
    assert mine.got() == payloads


def test_a_bad_record_is_isolated_retried_and_sent_to_its_destination(
    cloud: LocalCloud, kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="given-up")["QueueUrl"]
    stream, mine = new_stream(kinesis), consumer()
    _put(kinesis, stream, "a", "bad", "c", "d")
    mine.reads(
        _arn(stream),
        StartingPosition="TRIM_HORIZON",
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=2,
        DestinationConfig={
            "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:given-up"}
        },
    )
    until(lambda: {"c", "d"} <= set(mine.got()), "the others are handled")
    (told,) = until(
        lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the destination is told"
    )
    batch = json.loads(told["Body"])["KinesisBatchInfo"]
    assert (batch["streamArn"], batch["batchSize"]) == (_arn(stream), 1)
    assert mine.got().count("d") == 1
    until(
        lambda: "discarded" in mine.mapping().last_outcome or "done" in mine.mapping().last_outcome,
        "the outcome is told",
    )


def test_a_reported_failure_brings_back_only_what_follows(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer(reports=True)
    _put(kinesis, stream, "a", "b", "bad", "d")
    mine.reads(
        _arn(stream),
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=1,
    )
    until(lambda: mine.got().count("bad") >= 2, "it is tried again")
    assert (mine.got().count("a"), mine.got().count("b")) == (1, 1)


def test_a_status_says_lag_outcome_and_retries_by_shard(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    mine.reads(_arn(stream))
    _put(kinesis, stream, "fine")
    (shard,) = until(
        lambda: [each for each in mine.mapping().shards if each.records == 1], "it is handled"
    )
    assert (shard.shard_id, shard.retries, shard.last_outcome) == (FIRST, 0, "1 record done")
    assert mine.mapping().source == stream
    _put(kinesis, stream, "bad")
    (shard,) = until(
        lambda: [each for each in mine.mapping().shards if each.retries >= 1], "it is retried"
    )
    assert "failed" in shard.last_outcome
    assert "told to fail" in mine.mapping().last_outcome


def test_disabled_is_not_read_and_enabled_goes_on_where_it_was(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    uuid = mine.reads(_arn(stream))["UUID"]
    _put(kinesis, stream, "a")
    until(lambda: mine.got() == ["a"], "it is read")
    mine.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert mine.mapping().state == "disabled"
    until(lambda: not mine.mapping().shards, "the worker has ended")
    _put(kinesis, stream, "b")
    mine.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=7)
    until(lambda: mine.got() == ["a", "b"], "it goes on")
    described = mine.lambda_.get_event_source_mapping(UUID=uuid)
    assert (described["State"], described["BatchSize"]) == ("Enabled", 7)
    mine.lambda_.delete_event_source_mapping(UUID=uuid)
    assert mine.name not in {each.function for each in mine.cloud.mappings()}


def test_a_split_is_followed_parent_first(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    mine.reads(_arn(stream))
    _put(kinesis, stream, "before")
    kinesis.split_shard(StreamName=stream, ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    for number in range(8):
        _put(kinesis, stream, f"after-{number}", key=str(number))
    until(lambda: len(mine.got()) == 9, "the children are read")
    assert mine.got()[0] == "before"


def test_a_tables_stream_is_read_too(cloud: LocalCloud, consumer: Any, until: Any) -> None:
    dynamodb = cloud.client("dynamodb")
    table = dynamodb.create_table(
        TableName="mapped",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    mine = consumer()
    mine.reads(table["LatestStreamArn"])
    for number in range(3):
        dynamodb.put_item(TableName="mapped", Item={"id": {"S": str(number)}})
    until(lambda: mine.got() == ["0", "1", "2"], "the changes arrive")
    assert mine.mapping().source == "mapped"


def test_a_consumer_with_enhanced_fan_out_is_given_records(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    registered = kinesis.register_stream_consumer(StreamARN=_arn(stream), ConsumerName="fast")
    mine.reads(registered["Consumer"]["ConsumerARN"])
    _put(kinesis, stream, "a", "b")
    until(lambda: mine.got() == ["a", "b"], "the records arrive")
    assert mine.mapping().source == stream


def test_a_mapping_says_what_it_was_asked_for(kinesis: Any, new_stream: Any, consumer: Any) -> None:
    stream, mine = new_stream(kinesis), consumer()
    made = mine.reads(_arn(stream), TumblingWindowInSeconds=30)
    assert made["State"] == "Enabled"
    described = mine.lambda_.get_event_source_mapping(UUID=made["UUID"])
    wanted = {
        "StartingPosition": "LATEST",
        "BatchSize": 100,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1,
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": False,
        "TumblingWindowInSeconds": 30,
    }
    assert {name: described[name] for name in wanted} == wanted
    listed = mine.lambda_.list_event_source_mappings(FunctionName=mine.name)
    assert [each["UUID"] for each in listed["EventSourceMappings"]] == [made["UUID"]]


def test_the_latest_of_a_stream_in_use_begins_when_it_says_so(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    stream, mine = new_stream(kinesis), consumer()
    _put(kinesis, stream, "too early")
    made = mine.reads(_arn(stream))
    assert made["State"] == "Creating"
    until(
        lambda: mine.lambda_.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled",
        "it is read",
    )
    _put(kinesis, stream, "in time")
    until(mine.got, "it arrives")
    assert "too early" not in " ".join(mine.got())


def test_a_mapping_that_cannot_run_says_why(
    kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    mine = consumer()
    stream = new_stream(kinesis)
    mine.reads(_arn(stream), MaximumRecordAgeInSeconds=5)
    failed = until(lambda: mine.mapping().state == "failed" and mine.mapping(), "it is told")
    assert "maximum record age" in failed.reason


def test_mappings_go_on_when_the_process_that_runs_them_was_killed(
    cloud: LocalCloud, kinesis: Any, new_stream: Any, consumer: Any, until: Any
) -> None:
    def runners() -> list[psutil.Process]:
        below = psutil.Process(find_cloud(cloud.name).pid).children(recursive=True)
        return [each for each in below if "clew.localcloud.mapping_runner" in each.cmdline()]

    stream, mine = new_stream(kinesis), consumer()
    mine.reads(_arn(stream))
    _put(kinesis, stream, "a")
    until(lambda: mine.mapping().shards and mine.mapping().shards[0].records, "a is handled")
    (runner,) = runners()
    runner.kill()
    _put(kinesis, stream, "b")
    until(lambda: mine.got() == ["a", "b"], "another one goes on")
    (other,) = runners()
    assert other.pid != runner.pid


def test_a_template_brings_its_mapping(
    cloud: LocalCloud, kinesis: Any, tmp_path: Path, until: Any
) -> None:
    code = tmp_path / "src"
    code.mkdir()
    (code / "app.py").write_text(SOURCE)
    template = tmp_path / "template.json"
    function: dict[str, Any] = {
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "CodeUri": "src/",
        "Environment": {"Variables": {"REPORTS": "yes"}},
        "Events": {
            "Stream": {
                "Type": "Kinesis",
                "Properties": {
                    "Stream": {"Fn::GetAtt": ["Stream", "Arn"]},
                    "StartingPosition": "LATEST",
                    "BisectBatchOnFunctionError": True,
                    "MaximumRetryAttempts": 1,
                    "MaximumBatchingWindowInSeconds": 0,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                },
            }
        },
    }
    resources = {
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Mine": {"Type": "AWS::Serverless::Function", "Properties": function},
    }
    body = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    template.write_text(json.dumps(body))
    stack = cloud.deploy(template, "mapped")
    stream = stack.resources["Stream"]
    _put(kinesis, stream, "a", "bad", "c")

    def got() -> list[str]:
        return [line.message for line in cloud.log_lines(stack.functions["Mine"])]

    until(lambda: "got c" in got(), "the record after the bad one is handled")
    assert got().count("got a") == 1
    assert got().count("got bad") >= 2
    (mapping,) = (each for each in cloud.mappings() if each.source == stream)
    assert mapping.function == stack.functions["Mine"]

    function["Events"]["Stream"]["Properties"] |= {"BatchSize": 3, "TumblingWindowInSeconds": 60}
    template.write_text(json.dumps(body))
    cloud.deploy(template, "mapped")
    changed = cloud.client("lambda").get_event_source_mapping(UUID=mapping.uuid)
    assert (changed["BatchSize"], changed["TumblingWindowInSeconds"]) == (3, 60)
    cloud.client("cloudformation").delete_stack(StackName="mapped")
    until(lambda: mapping.uuid not in {each.uuid for each in cloud.mappings()}, "it is gone")
    from clew.localcloud import LocalCloud

    # A stack that somebody deleted keeps nobody from the cloud.
    assert "mapped" not in LocalCloud.connect(cloud.name).stacks
