"""``clew streams plan`` and ``apply``, against a real local cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .streams import Streams

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

FILE = """\
version: 1
defaults: {max: 6}
streams:
  MARK-new: {min: 2, retention: 36h, tags: {team: a}}
  MARK-old*: {min: 1}
  "{env}-none*": {max: 2}
"""


@pytest.fixture
def mine(cloud: LocalCloud, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Streams:
    found = Streams(cloud, capsys, tmp_path)
    found.make_table()
    found.write(FILE)
    return found


def apply(mine: Streams, *more: str) -> Any:
    ran = mine.run("apply", "--yes", *more, file=True)
    assert ran.status == 0, ran.err
    return ran


def test_streams_alarms_and_settings_become_what_the_file_says(mine: Streams) -> None:
    old = mine.create("old-1", 3)
    kinesis = mine.cloud.client("kinesis")
    put = kinesis.put_record(StreamName=old, Data=b"kept", PartitionKey="1")

    planned = mine.run("plan", "--check", file=True)
    assert planned.status == 2
    assert f"+ {mine.mark}-new\n    Create it with 2 shards" in planned.out
    assert "6 alarms created" in planned.out
    assert mine.store.settings(old) is None

    applied = apply(mine)
    assert f"+ stream  {mine.mark}-new" in applied.out
    assert applied.out.rstrip().endswith(f"clew streams status --env {mine.mark}")

    new = kinesis.describe_stream_summary(StreamName=f"{mine.mark}-new")
    said = new["StreamDescriptionSummary"]
    assert (said["OpenShardCount"], said["RetentionPeriodHours"]) == (2, 36)
    tags = kinesis.list_tags_for_stream(StreamName=f"{mine.mark}-new")["Tags"]
    found = {each["Key"]: each["Value"] for each in tags}
    assert (found["clew:env"], found["team"]) == (mine.mark, "a")
    assert {one.name: one.bounds for one in mine.store.all_settings()} == {
        f"{mine.mark}-new": (2, 6),
        old: (1, 6),
    }
    # The stream that was there is the one that is there: it has its record still.
    shard = kinesis.get_shard_iterator(
        StreamName=old, ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = kinesis.get_records(ShardIterator=shard)["Records"]
    assert record["Data"] == b"kept"
    cloudwatch = mine.cloud.client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"clew/{old}/")["MetricAlarms"]
    assert sorted(one["AlarmName"].rpartition("/")[2] for one in alarms) == [
        "bytes",
        "records",
        "refused",
    ]

    again = apply(mine)
    assert "Nothing to do" in again.out
    assert mine.run("plan", "--check", file=True).status == 0


def test_the_shards_that_a_stream_has_come_to_are_never_touched(mine: Streams) -> None:
    apply(mine)
    kinesis = mine.cloud.client("kinesis")
    name = f"{mine.mark}-new"
    kinesis.update_shard_count(StreamName=name, TargetShardCount=5, ScalingType="UNIFORM_SCALING")
    mine.write(FILE.replace("min: 2, retention: 36h", "min: 3, retention: 48h, target: 60%"))
    shown = apply(mine, "--json")
    assert json.loads(shown.out)["applied"]
    assert mine.open_shards(name) == 5
    said = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert said["RetentionPeriodHours"] == 48
    settings = mine.store.settings(name)
    assert settings is not None
    assert (settings.min_shards, settings.target, settings.retention_h) == (3, 0.6, 48)
    template = mine.cloud.client("cloudformation").get_template(StackName=mine.stack)
    (stream,) = [
        one for one in template["TemplateBody"]["Resources"].values() if "Stream" in one["Type"]
    ]
    assert stream["Properties"]["ShardCount"] == 2  # as it was created, for ever
    assert stream["DeletionPolicy"] == "Retain"


def test_nothing_is_let_go_unless_that_is_allowed(mine: Streams) -> None:
    old = mine.create("old-1")
    apply(mine)
    kinesis = mine.cloud.client("kinesis")
    kinesis.increase_stream_retention_period(StreamName=old, RetentionPeriodHours=48)
    mine.write(
        "version: 1\nstreams:\n  MARK-old*: {max: 6, retention: 24h}\n  '{env}x*': {max: 1}\n"
    )
    refused = mine.run("apply", "--yes", file=True)
    assert refused.status == 1
    assert f"{mine.mark}-new would lose its settings and alarms" in refused.err
    assert f"{old} would lose records that are older than 24 hours" in refused.err
    assert mine.store.settings(f"{mine.mark}-new") is not None

    apply(mine, "--allow-delete")
    assert mine.store.settings(f"{mine.mark}-new") is None
    assert mine.open_shards(f"{mine.mark}-new") == 2  # the stream itself stays
    said = kinesis.describe_stream_summary(StreamName=old)["StreamDescriptionSummary"]
    assert said["RetentionPeriodHours"] == 24
    alarms = mine.cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"clew/{mine.mark}")
    assert {one["AlarmName"].split("/")[1] for one in alarms["MetricAlarms"]} == {old}

    mine.write(FILE)  # and is adopted when it comes again
    assert f"+ {mine.mark}-new\n    Manage the stream that there is" in apply(mine).out


@pytest.mark.parametrize(
    ("service", "operation", "said"),
    [
        ("kinesis", "ListStreams", "kinesis:ListStreams"),
        ("dynamodb", "PutItem", "dynamodb:PutItem"),
        ("cloudformation", "CreateChangeSet", "cloudformation:CreateChangeSet"),
    ],
)
def test_a_missing_permission_is_named_before_anything_is_changed(
    mine: Streams, service: str, operation: str, said: str
) -> None:
    with mine.cloud.faults.during(service, operation, error="AccessDeniedException"):
        ran = mine.run("apply", "--yes", file=True)
    assert ran.status == 1
    assert ran.err.startswith(f"clew: AWS does not allow {said} here")
    assert "another --profile" in ran.err
    assert not list(mine.store.all_settings())
    names = mine.cloud.client("kinesis").list_streams()["StreamNames"]
    assert f"{mine.mark}-new" not in names


def test_what_was_cut_short_is_finished_by_applying_again(mine: Streams) -> None:
    old = mine.create("old-1")
    kinesis = mine.cloud.client("kinesis")
    kinesis.increase_stream_retention_period(StreamName=old, RetentionPeriodHours=72)
    mine.write(FILE.replace("MARK-old*: {min: 1}", "MARK-old*: {min: 1, retention: 96h}"))
    with mine.cloud.faults.during(
        "kinesis", "IncreaseStreamRetentionPeriod", error="AccessDeniedException"
    ):
        ran = mine.run("apply", "--yes", file=True)
    assert ran.status == 1
    assert "kinesis:IncreaseStreamRetentionPeriod" in ran.err
    apply(mine)
    assert mine.store.settings(old) is not None
    said = kinesis.describe_stream_summary(StreamName=old)["StreamDescriptionSummary"]
    assert said["RetentionPeriodHours"] == 96


def test_a_service_that_is_busy_is_asked_again(mine: Streams) -> None:
    mine.create("old-1")
    busy = {"error": "LimitExceededException", "rate": 0.5}
    with (
        mine.cloud.faults.during("kinesis", "DescribeStreamSummary", **busy),
        mine.cloud.faults.during("kinesis", "ListStreams", **busy),
    ):
        planned = mine.run("plan", file=True)
    assert planned.status == 0, planned.err
    assert f"{mine.mark}-old-1" in planned.out


def test_every_fault_is_told_before_the_first_call(mine: Streams) -> None:
    on_demand = f"{mine.mark}-auto"
    mine.cloud.client("kinesis").create_stream(
        StreamName=on_demand, StreamModeDetails={"StreamMode": "ON_DEMAND"}
    )
    mine.write(f"version: 1\nstreams:\n  {on_demand}: {{max: 2}}\n  MARK-b-{{env}}: {{max: 2}}\n")
    ran = mine.run("apply", "--yes", file=True)
    assert ran.status == 1
    assert f"streams.yml:3: arn:aws:kinesis:us-east-1:000000000000:stream/{on_demand} is in" in (
        ran.err
    )
    assert not list(mine.store.all_settings())
    mine.write("version: 1\nstreams: {'a-{env}': {max: 0}}\n")
    assert "max of a-{env} is 0, and has to be at least 1." in mine.run("plan", file=True).err


def test_without_the_functions_nothing_is_applied(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = Streams(cloud, capsys, tmp_path)
    mine.write(FILE)
    planned = mine.run("plan", file=True)
    assert planned.status == 0
    assert "not deployed here" in planned.out
    ran = mine.run("apply", "--yes", file=True)
    assert ran.status == 1
    assert f"There is no table {mine.table} here" in ran.err


def test_somebody_is_asked_unless_yes_is_said(mine: Streams) -> None:
    ran = mine.run("apply", file=True)
    assert ran.status == 2
    assert "say --yes" in ran.err


def test_a_change_set_that_is_refused_changes_nothing(mine: Streams) -> None:
    with mine.cloud.faults.during(
        "cloudformation", "ExecuteChangeSet", error="InsufficientCapabilitiesException"
    ):
        ran = mine.run("apply", "--yes", file=True)
    assert ran.status == 1
    assert "InsufficientCapabilities" in ran.err
    assert not list(mine.store.all_settings())
