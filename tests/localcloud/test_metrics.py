"""Kinesis metrics come by themselves, and alarms on them turn and tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

SHARD = "shardId-000000000000"


@pytest.fixture(scope="module")
def kinesis(limited: LocalCloud) -> Any:
    return limited.client("kinesis")


@pytest.fixture(scope="module")
def cloudwatch(limited: LocalCloud) -> Any:
    return limited.client("cloudwatch")


def _value(cloudwatch: Any, name: str, statistic: str = "Sum", **dimensions: str) -> float | None:
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Kinesis",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return points[0][statistic] if points else None


def test_writes_and_reads_are_told_by_stream_and_by_shard(
    kinesis: Any, cloudwatch: Any, new_stream: Callable[..., str], until: Callable[..., Any]
) -> None:
    stream = new_stream(kinesis, shards=2)
    kinesis.put_record(StreamName=stream, Data=b"12345", PartitionKey="1", ExplicitHashKey="0")
    records = [
        {"Data": b"1234567890", "PartitionKey": "22", "ExplicitHashKey": key}
        for key in ("0", "0", str(2**127))
    ]
    kinesis.put_records(StreamName=stream, Records=records)
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    kinesis.get_records(ShardIterator=iterator)

    until(
        lambda: _value(cloudwatch, "GetRecords.Records", StreamName=stream) == 3,
        "the metrics are published",
    )
    of_stream = {"StreamName": stream}
    of_shard = {"StreamName": stream, "ShardId": SHARD}
    assert _value(cloudwatch, "IncomingBytes", **of_stream) == 6 + 3 * 12
    assert _value(cloudwatch, "IncomingBytes", **of_shard) == 6 + 2 * 12
    assert _value(cloudwatch, "IncomingRecords", **of_stream) == 4
    assert _value(cloudwatch, "IncomingRecords", **of_shard) == 3
    assert _value(cloudwatch, "WriteProvisionedThroughputExceeded", **of_stream) == 0
    assert _value(cloudwatch, "ReadProvisionedThroughputExceeded", **of_stream) == 0
    assert _value(cloudwatch, "GetRecords.Bytes", **of_stream) == 6 + 2 * 12
    assert _value(cloudwatch, "OutgoingRecords", **of_shard) == 3
    age = _value(cloudwatch, "GetRecords.IteratorAgeMilliseconds", "Maximum", **of_stream)
    assert age is not None
    assert 0 <= age < 60_000


def test_what_was_refused_is_told(
    kinesis: Any, cloudwatch: Any, new_stream: Callable[..., str], until: Callable[..., Any]
) -> None:
    stream = new_stream(kinesis)
    records = [{"Data": b"x" * 50_000, "PartitionKey": "1"}] * 80
    failed = kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"]
    assert failed
    name = "WriteProvisionedThroughputExceeded"
    until(
        lambda: _value(cloudwatch, name, StreamName=stream, ShardId=SHARD) == failed,
        "the refusals are published",
    )
    assert _value(cloudwatch, name, StreamName=stream) == failed


def test_an_alarm_turns_by_itself_and_tells_its_topic(
    limited: LocalCloud,
    kinesis: Any,
    cloudwatch: Any,
    new_stream: Callable[..., str],
    until: Callable[..., Any],
) -> None:
    sns, sqs = limited.client("sns"), limited.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:000000000000:alarms",
        Attributes={"RawMessageDelivery": "true"},
    )
    busy, quiet = new_stream(kinesis), new_stream(kinesis)
    for stream in (busy, quiet):
        cloudwatch.put_metric_alarm(
            AlarmName=stream,
            Namespace="AWS/Kinesis",
            MetricName="IncomingRecords",
            Dimensions=[{"Name": "StreamName", "Value": stream}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=10,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic],
            OKActions=[topic],
        )

    def state(name: str) -> str:
        found: str = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]
        return found

    until(lambda: state(busy) == "OK", "no data means OK")
    kinesis.put_record(StreamName=quiet, Data=b"x", PartitionKey="1")
    records = [{"Data": b"x", "PartitionKey": "1"}] * 10
    kinesis.put_records(StreamName=busy, Records=records)
    until(lambda: state(busy) == "ALARM", "the alarm turns")
    assert state(quiet) == "OK", "an alarm took the metric of another stream for its own"

    def heard() -> dict[str, Any] | None:
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            told: dict[str, Any] = json.loads(message["Body"])
            if told["NewStateValue"] == "ALARM":
                return told
        return None

    told = until(heard, "the topic is told")
    assert (told["AlarmName"], told["OldStateValue"]) == (busy, "OK")
    assert told["AlarmArn"].endswith(f":alarm:{busy}")
    assert told["Trigger"]["Dimensions"] == [{"value": busy, "name": "StreamName"}]
    assert told["Trigger"]["Statistic"] == "SUM"


def test_an_alarm_of_a_template_turns_too(
    limited: LocalCloud,
    kinesis: Any,
    cloudwatch: Any,
    tmp_path: Any,
    until: Callable[..., Any],
) -> None:
    path = tmp_path / "template.json"
    alarm = {
        "Namespace": "AWS/Kinesis",
        "MetricName": "IncomingRecords",
        "Dimensions": [{"Name": "StreamName", "Value": {"Ref": "Stream"}}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    resources = {
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Busy": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    path.write_text(json.dumps({"Resources": resources}))
    stack = limited.deploy(path, "alarmed")
    kinesis.put_record(StreamName=stack.resources["Stream"], Data=b"x", PartitionKey="1")
    name = stack.resources["Busy"]
    until(
        lambda: (
            cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]
            == "ALARM"
        ),
        "the alarm turns",
    )


def test_an_alarm_on_metric_math_turns_and_tells_its_topic(
    limited: LocalCloud,
    kinesis: Any,
    cloudwatch: Any,
    new_stream: Callable[..., str],
    until: Callable[..., Any],
    tmp_path: Any,
) -> None:
    sns, sqs = limited.client("sns"), limited.client("sqs")
    topic = sns.create_topic(Name="maths")["TopicArn"]
    queue = sqs.create_queue(QueueName="maths")["QueueUrl"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:000000000000:maths",
        Attributes={"RawMessageDelivery": "true"},
    )
    busy, quiet = new_stream(kinesis), new_stream(kinesis)

    def metrics(stream: str) -> list[dict[str, Any]]:
        named = {
            "Metric": {
                "Namespace": "AWS/Kinesis",
                "MetricName": "IncomingRecords",
                "Dimensions": [{"Name": "StreamName", "Value": stream}],
            },
            "Period": 60,
            "Stat": "Sum",
        }
        return [
            {"Id": "records", "MetricStat": named, "ReturnData": False},
            {"Id": "full", "Expression": "FILL(records, 0) / 20", "ReturnData": True},
        ]

    common: dict[str, Any] = {
        "EvaluationPeriods": 1,
        "Threshold": 0.5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [topic],
    }
    for stream in (busy, quiet):
        cloudwatch.put_metric_alarm(AlarmName=stream, Metrics=metrics(stream), **common)
    template = tmp_path / "template.json"
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": metrics(busy), **common}}
    template.write_text(json.dumps({"Resources": {"Full": alarm}}))
    by_template = limited.deploy(template, "mathematical").resources["Full"]

    kinesis.put_record(StreamName=quiet, Data=b"x", PartitionKey="1")
    records = [{"Data": b"x", "PartitionKey": "1"}] * 10
    kinesis.put_records(StreamName=busy, Records=records)

    def states() -> dict[str, str]:
        names = [busy, quiet, by_template]
        found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return {one["AlarmName"]: one["StateValue"] for one in found}

    until(
        lambda: states() == {busy: "ALARM", quiet: "OK", by_template: "ALARM"},
        "the alarms of the busy stream turn",
    )

    def told() -> dict[str, Any] | None:
        found = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        message: dict[str, Any] | None = json.loads(found[0]["Body"]) if found else None
        return message

    trigger = until(told, "the topic is told")["Trigger"]
    assert "MetricName" not in trigger
    assert [one["Id"] for one in trigger["Metrics"]] == ["records", "full"]
    assert trigger["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"] == [
        {"value": busy, "name": "StreamName"}
    ]


def test_metric_math_that_is_not_known_here_is_refused(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="ANOMALY_DETECTION_BAND"):
        cloudwatch.put_metric_alarm(
            AlarmName="strange",
            Metrics=[{"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(7)", "ReturnData": True}],
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
