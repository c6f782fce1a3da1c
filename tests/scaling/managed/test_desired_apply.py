"""Change sets against a real local cloud: what goes wrong, and what is never let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clew.errors import ClewError
from clew.scaling.managed.desired_apply import ChangeSet, Event
from clew.scaling.managed.desired_state import deployed_template, stack_status
from clew.scaling.managed.desired_template import MAX_BODY

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


@pytest.fixture
def stack() -> str:
    return f"clew-streams-{uuid4().hex[:8]}"


def stream(name: str, shards: int) -> dict[str, Any]:
    return {
        "Type": "AWS::Kinesis::Stream",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"Name": name, "ShardCount": shards},
    }


def alarm(**properties: Any) -> dict[str, Any]:
    usual = {
        "AlarmName": f"clew/{uuid4().hex}/bytes",
        "Namespace": "AWS/Kinesis",
        "MetricName": "IncomingBytes",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": usual | properties}


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def deployed(cloud: LocalCloud, stack: str, wanted: dict[str, Any]) -> list[Event]:
    events: list[Event] = []
    changes = ChangeSet(cloud.client("cloudformation"), stack)
    assert changes.create(wanted, None)
    changes.execute(events.append)
    return events


def test_a_change_set_that_would_change_a_stream_is_refused(cloud: LocalCloud, stack: str) -> None:
    events = deployed(cloud, stack, template(One=stream(stack, 2)))
    assert ("One", "CREATE_COMPLETE") in [(one.logical_id, one.status) for one in events]
    again = ChangeSet(cloud.client("cloudformation"), stack)
    assert not again.create(template(One=stream(stack, 2)), None)  # nothing is different

    with pytest.raises(ClewError, match=f"would modify the stream {stack}, which is never to"):
        again.create(template(One=stream(stack, 4)), None)
    sets = cloud.client("cloudformation").list_change_sets(StackName=stack)["Summaries"]
    assert not [one for one in sets if one["ExecutionStatus"] == "AVAILABLE"]
    said = cloud.client("kinesis").describe_stream_summary(StreamName=stack)
    assert said["StreamDescriptionSummary"]["OpenShardCount"] == 2


def test_the_first_failure_of_a_stack_is_said_and_its_remains_are_no_obstacle(
    cloud: LocalCloud, stack: str
) -> None:
    changes = ChangeSet(cloud.client("cloudformation"), stack)
    events: list[Event] = []
    assert changes.create(template(Bad=alarm(MetricName="")), None)
    with pytest.raises(ClewError) as raised:
        changes.execute(events.append)
    said = str(raised.value)
    assert said.startswith(f"The stack {stack} was not created; a stream that it had made")
    assert "adopted next. Bad (AWS::CloudWatch::Alarm): " in said
    assert "MetricName" in said
    assert any(one.failed for one in events)
    assert deployed_template(cloud.session(), stack) is None
    deployed(cloud, stack, template(Good=alarm()))
    with pytest.raises(ClewError, match=r"failed, and is as it was before\. Bad"):
        deployed(cloud, stack, template(Bad=alarm(MetricName="")))
    assert stack_status(cloud.client("cloudformation"), stack) == "UPDATE_ROLLBACK_COMPLETE"
    deployed(cloud, stack, template(Better=alarm()))


def test_a_stack_that_has_what_clew_did_not_put_there_is_left_alone(
    cloud: LocalCloud, stack: str
) -> None:
    deployed(cloud, stack, template(Topic={"Type": "AWS::SNS::Topic"}))
    with pytest.raises(ClewError, match=r"has Topic \(AWS::SNS::Topic\), which clew did not put"):
        deployed_template(cloud.session(), stack)


def test_a_large_template_goes_through_a_bucket(cloud: LocalCloud, stack: str) -> None:
    large = template(Good=alarm(AlarmDescription="x" * 1000))
    large["Metadata"] = {"much": "x" * MAX_BODY}
    changes = ChangeSet(cloud.client("cloudformation"), stack)
    with pytest.raises(ClewError, match="name an S3 bucket of yours for it with --bucket"):
        changes.create(large, None)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=stack)

    def upload(text: str) -> str:
        s3.put_object(Bucket=stack, Key="t.json", Body=text.encode())
        return f"{cloud.endpoint_url}/{stack}/t.json"

    assert changes.create(large, upload)
    assert [one.action for one in changes.changes] == ["Add"]
    large["Metadata"] = {"much": "x" * 1_000_000}
    with pytest.raises(ClewError, match="CloudFormation takes 1,000,000"):
        changes.create(large, upload)
