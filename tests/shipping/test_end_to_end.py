"""The template, deployed: from a function's log line to the store, and the story there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clew.cli import main
from clew.shipping import __file__ as room
from clew.stories import find_story
from clew.streams.envelope import unseal

from .ingest import TOKEN, ingesting
from .making import batch, event, packed

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud
    from conftest import Until

HERE = Path(__file__).parent
TEMPLATE = Path(room).parent / "template.yaml"


def _invoke(cloud: LocalCloud, function: str, payload: dict[str, Any]) -> Any:
    answer = cloud.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(payload).encode()
    )
    body = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, body
    return body


def _created(group: str) -> dict[str, Any]:
    """What CloudTrail has EventBridge say of a new log group."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.logs",
        "account": "000000000000",
        "time": "2026-01-02T03:04:05Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "eventSource": "logs.amazonaws.com",
            "eventName": "CreateLogGroup",
            "requestParameters": {"logGroupName": group},
            "responseElements": None,
        },
    }


def test_a_request_is_read_from_the_store_that_its_lines_were_shipped_to(
    cloud: LocalCloud, until: Until, tmp_path: Path
) -> None:
    name = f"ship-{uuid4().hex[:8]}"
    logs = cloud.client("logs")
    with ingesting(tmp_path / "logs.db") as to:
        shipping = cloud.deploy(
            TEMPLATE,
            name,
            parameters={
                "ShipTo": to.address,
                "Token": TOKEN,
                "Include": f"/aws/lambda/{name}*",
                "RetentionDays": "30",
            },
        )
        app = cloud.deploy(HERE / "app.yaml", f"{name}-app")
        ship, subscribe = shipping.functions["Ship"], shipping.functions["Subscribe"]
        publish, notify = app.functions["Publish"], app.functions["Notify"]
        groups = [f"/aws/lambda/{one}" for one in (publish, notify, ship)]
        for group in groups:
            logs.create_log_group(logGroupName=group)

        def filters(group: str) -> list[str]:
            found = logs.describe_subscription_filters(logGroupName=group)
            return [one["filterName"] for one in found["subscriptionFilters"]]

        # One by the event of its making, the other by the sweep; its own by neither.
        # Nobody but AWS may send an event of aws.logs, in the local cloud as there.
        created, events = _created(groups[0]), cloud.client("events")
        (rule,) = events.list_rules(NamePrefix=f"{name}-SubscribeCreated")["Rules"]
        assert events.test_event_pattern(
            EventPattern=rule["EventPattern"], Event=json.dumps(created)
        )["Result"]
        assert _invoke(cloud, subscribe, created)["subscribe"] == 1
        assert [filters(group) for group in groups] == [["clew"], [], []]
        said = _invoke(cloud, subscribe, {})
        assert (said["covered"], said["refuse"]) == (1, 1)
        assert said["subscribe"] == 2  # the log of the function that subscribes, too
        assert [filters(group) for group in groups] == [["clew"], ["clew"], []]
        described = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
        kept = {one["logGroupName"]: one.get("retentionInDays") for one in described["logGroups"]}
        assert [kept[group] for group in groups] == [30, 30, 30]

        id_ = _invoke(cloud, publish, {"what": "a post"})
        until(lambda: to.store.stats().lines >= 10, "all lines are in the store", 30)
        story = until(
            lambda: (
                found
                if id_ in to.store.recent_ids()
                and len((found := find_story(to.store, id_)).hops) == 2
                else None
            ),
            "the story has both functions",
            30,
        )
        assert [hop.function for hop in story.hops] == [publish, notify]
        assert not story.breaks
        printed = [
            line.message for line in to.store.lines("a print, before") if "print" in line.message
        ]
        assert printed == ["a print, before\n  and what belongs to it"]

        # The same event again is stored once.
        again = event(batch("one", "two", group=groups[0]))
        before = len(to.added)
        first = _invoke(cloud, ship, again)
        assert (first["lines"], first["sent"], first["deadLetters"]) == (2, 2, 0)
        _invoke(cloud, ship, again)
        assert [sorted(one) for one in to.added[before:]] == [[0, 2], [0, 2]]
        assert sum(stored for stored, _ in to.added[before:]) == 2
        # The shipping function is in a story of its own, and in none of those that it ships.
        own = [line.message for line in cloud.log_lines(ship) if '"invocation"' in line.message]
        assert own
        assert not [line for line in own if id_ in line]
        for group in groups:
            logs.delete_log_group(logGroupName=group)


def test_batches_come_through_a_stream(cloud: LocalCloud, until: Until, tmp_path: Path) -> None:
    """As the destination of a subscription; the local cloud's own lead to functions only."""
    name = f"ship-{uuid4().hex[:8]}"
    kinesis, lambda_, sqs = (cloud.client(each) for each in ("kinesis", "lambda", "sqs"))
    kinesis.create_stream(StreamName=name, ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    with ingesting(tmp_path / "logs.db") as to:
        shipping = cloud.deploy(TEMPLATE, name, parameters={"ShipTo": to.address, "Token": TOKEN})
        mapping = lambda_.create_event_source_mapping(
            FunctionName=shipping.functions["Ship"],
            EventSourceArn=arn,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        for n in range(3):  # of a stream each, since the same events are the same lines
            data = packed(batch(f"one of {n}", f"two of {n}", stream=str(n)))
            kinesis.put_record(StreamName=name, PartitionKey="p", Data=data)
        to.refuse.append("poison")
        for data in (b"no batch at all", packed(batch("poison", "the last"))):
            kinesis.put_record(StreamName=name, PartitionKey="p", Data=data)

        def messages() -> set[str]:
            return {entry.message for entry in to.store.entries()}

        wanted = {f"{each} of {n}" for each in ("one", "two") for n in range(3)} | {"the last"}
        until(lambda: messages() == wanted, "all lines are in the store", 30)
        # What was no batch, and what the store refuses, are dead letters; the latter are shipped
        # again from there when it takes them.
        queue = shipping.outputs["FailedUrl"]
        counted = "ApproximateNumberOfMessages"
        until(
            lambda: (
                sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[counted])["Attributes"][
                    counted
                ]
                == "2"
            ),
            "two dead letters",
        )
        to.refuse.clear()
        clew = ("dlq", "redrive", queue, "--to", "function", "--local", "tests", "--yes")
        with pytest.raises(SystemExit) as ended:
            main([*clew, "--error", "not that"])
        assert not ended.value.code
        assert messages() == wanted | {"poison"}
        (left,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        assert unseal(left["Body"]).payload == b"no batch at all"
        lambda_.delete_event_source_mapping(UUID=mapping["UUID"])


def test_what_goes_through_firehose_is_shipped_and_delivered_as_it_came(
    cloud: LocalCloud, until: Until, tmp_path: Path
) -> None:
    name = f"ship-{uuid4().hex[:8]}"
    s3, firehose = cloud.client("s3"), cloud.client("firehose")
    s3.create_bucket(Bucket=name)
    with ingesting(tmp_path / "logs.db") as to:
        shipping = cloud.deploy(TEMPLATE, name, parameters={"ShipTo": to.address, "Token": TOKEN})
        parameter = {
            "ParameterName": "LambdaArn",
            "ParameterValue": shipping.outputs["ShipFunction"],
        }
        firehose.create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/firehose",
                "BucketARN": f"arn:aws:s3:::{name}",
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
                "ProcessingConfiguration": {
                    "Enabled": True,
                    "Processors": [{"Type": "Lambda", "Parameters": [parameter]}],
                },
            },
        )
        came = [packed(batch(f"line {n}", stream=str(n))) for n in range(3)]
        firehose.put_record_batch(
            DeliveryStreamName=name, Records=[{"Data": data} for data in came]
        )
        wanted = {f"line {n}" for n in range(3)}
        until(lambda: {entry.message for entry in to.store.entries()} == wanted, "in the store", 30)

        def delivered() -> bytes:
            found = s3.list_objects_v2(Bucket=name).get("Contents", [])
            bodies = (s3.get_object(Bucket=name, Key=one["Key"])["Body"] for one in found)
            return b"".join(body.read() for body in bodies)

        until(lambda: all(data in delivered() for data in came), "in the bucket", 30)
