"""``clew streams scale``: the shards by hand, the guards, and how it goes on after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest

from clew.scaling.managed.desired_by_hand import prepare
from clew.scaling.managed.desired_now import look_at
from clew.scaling.managed.desired_state import tools_of
from clew.scaling.managed.lock import Lock
from clew.scaling.managed.settings import ManagedStream

from .streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud

# Whoever runs the tests in the background of a shell has SIGINT ignored, and so has its child.
CLEW = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from clew.cli import main; main()",
]


@pytest.fixture
def mine(cloud: LocalCloud, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Streams:
    found = Streams(cloud, capsys, tmp_path)
    found.make_table()
    return found


def managed(mine: Streams, shards: int, **settings: Any) -> str:
    name = mine.create("s", shards)
    given = {"min_shards": 1, "max_shards": 8} | settings
    mine.store.put_settings(ManagedStream(name, **given))
    return name


def test_a_plan_is_shown_carried_out_and_remembered(mine: Streams) -> None:
    name = managed(mine, 2)
    dry = mine.run("scale", name, "--to", "3", "--even", "--dry-run")
    assert dry.status == 0, dry.err
    assert "From 2 shards to 3 by 2 splits and 1 merge" in " ".join(dry.out.split())
    assert "1. split 0.0% - 50.0% at 33.3%" in dry.out
    assert mine.open_shards(name) == 2

    done = mine.run("scale", name, "--to", "3", "--even", "--yes", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert (record["outcome"], record["splits"], record["merges"]) == ("done", 2, 1)
    assert mine.open_shards(name) == 3
    assert mine.store.plan(name) is None
    (kept,) = mine.store.audit(name)
    assert kept["who"] == record["who"] != ""
    assert "2 -> 3 shards, asked by" in mine.run("history", name).out
    alarms = mine.cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"clew/{name}/")
    assert any(one["AlarmName"].endswith("/bytes") for one in alarms["MetricAlarms"])

    soon = mine.run("scale", name, "--to", "4", "--yes")
    assert soon.status == 1
    assert "too recent" in soon.err
    assert "--force" in soon.err
    assert mine.run("scale", name, "--to", "4", "--yes", "--force").status == 0
    assert mine.open_shards(name) == 4
    nothing = mine.run("scale", name, "--to", "4", "--yes")
    assert nothing.status == 0
    assert "Leave the 4 shards as they are." in nothing.out


def test_one_shard_is_split(mine: Streams) -> None:
    name = managed(mine, 2)
    assert "no open shard shardId-000000000009" in mine.run("scale", name, "--split", "9",
                                                            "--dry-run").err  # fmt: skip
    done = mine.run("scale", name, "--split", "1", "--yes")
    assert done.status == 0, done.err
    report = json.loads(mine.run("report", name, "--json").out)
    assert [round(shard["width"], 3) for shard in report["shards"]] == [0.5, 0.25, 0.25]
    assert report["balance"] == 2.0
    assert report["closed_shards"] == 1


def test_a_shard_is_split_where_half_of_its_load_lies(mine: Streams) -> None:
    name = managed(mine, 1)
    tried = (str(number) for number in range(10_000))
    keys = [key for key in tried if md5(key.encode()).digest()[0] >= 192][:400]
    mine.cloud.client("kinesis").put_records(
        StreamName=name, Records=[{"Data": b"x" * 100, "PartitionKey": key} for key in keys]
    )
    found = json.loads(mine.run("scale", name, "--split", "0", "--dry-run", "--json").out)
    (split,) = found["operations"]
    assert int(split["at"]) / 2**128 == pytest.approx(0.875, abs=0.03)


def test_a_large_change_is_one_call_of_the_service(mine: Streams) -> None:
    name = managed(mine, 20, max_shards=80)
    done = mine.run("scale", name, "--to", "40", "--even", "--yes", "--json")
    assert done.status == 0, done.err
    record = json.loads(done.out)
    assert (record["method"], record["update_calls"]) == ("UpdateShardCount", 1)
    assert mine.open_shards(name) == 40
    assert mine.store.update_calls(name, time.time()) == 1
    # An uneven stream is evened out by its own splits and merges: there is no call for that.
    mine.run("scale", name, "--split", "shardId-000000000059", "--yes", "--force")
    again = json.loads(mine.run("scale", name, "--to", "41", "--even", "--dry-run", "--json").out)
    assert again["shards_after"] == 41


def test_the_guards_of_the_functions_hold(mine: Streams) -> None:
    name = managed(mine, 2, max_shards=3)
    refused = mine.run("scale", name, "--to", "4", "--yes")
    assert refused.status == 1
    assert f"{name} may have from 1 to 3 shards, and 4 is not that" in refused.err
    lock = Lock(mine.store, time.time)
    lock.take(name, "a function")
    busy = mine.run("scale", name, "--to", "3", "--yes", "--force")
    assert busy.status == 1
    assert f"Another action has {name} in hand (a function)" in busy.err
    assert "a function" in mine.run("explain", name).out
    assert mine.open_shards(name) == 2
    stranger = mine.run("scale", f"{name}x", "--to", "3", "--yes")
    assert f"did you mean {name}?" in stranger.err
    assert mine.run("scale", name, "--yes").status == 2
    assert "say --yes" in mine.run("scale", name, "--to", "3").err


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_what_was_interrupted_goes_on(
    mine: Streams, signum: signal.Signals, until: Callable[..., Any]
) -> None:
    name = managed(mine, 2)
    where = ["--local", mine.cloud.name, "--table", mine.table]
    command = [*CLEW, "streams", "scale", name, "--to", "5", "--even", "--yes", *where]
    with mine.cloud.faults.during("kinesis", "SplitShard", latency_s=1.5):
        running = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        until(lambda: mine.open_shards(name) >= 3, "the first split is done")
        running.send_signal(signum)
        _, err = running.communicate(timeout=20)
    assert running.returncode == (-signum if signum == signal.SIGKILL else 130)
    assert signum == signal.SIGKILL or "The same command goes on" in err
    assert mine.store.plan(name) is not None
    assert "under way: From 2 shards to 5" in " ".join(mine.run("status", name).out.split())

    again = mine.run("scale", name, "--to", "5", "--yes")
    assert again.status == 0, again.err
    assert "is under way, and is finished first" in again.out
    assert mine.open_shards(name) == 5
    assert mine.store.plan(name) is None
    report = json.loads(mine.run("report", name, "--json").out)
    assert report["balance"] == pytest.approx(1.0)


def test_evening_out_keeps_boundaries_that_differ_by_rounding_alone(mine: Streams) -> None:
    name = managed(mine, 20, max_shards=20, method="operations")  # made by the service
    found = json.loads(mine.run("scale", name, "--to", "10", "--even", "--dry-run", "--json").out)
    assert [one["kind"] for one in found["operations"]] == ["merge"] * 10


def test_a_plan_that_another_has_begun_is_not_what_was_asked_for(mine: Streams) -> None:
    name = managed(mine, 2)
    tools = tools_of(mine.cloud.session(), mine.table)
    settings = ManagedStream(name, min_shards=1, max_shards=8)
    begun = prepare(tools, look_at(tools, settings), "ada", to=4, even=True).begun
    mine.store.put_plan(name, begun.to_json())
    asked = mine.run("scale", name, "--to", "6", "--yes", "--json")
    assert asked.status == 1
    assert json.loads(asked.out)["shards_after"] == 4
    assert "what you asked for is not done: 4 shards are there now" in asked.err
    mine.store.put_plan(name, begun.to_json())
    assert mine.run("scale", name, "--to", "4", "--yes").status == 0


def test_who_cannot_be_told_is_said_beside_the_answer(mine: Streams) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:nowhere"
    name = managed(mine, 1, notify_topic=topic)
    done = mine.run("scale", name, "--to", "2", "--yes", "--json")
    assert done.status == 0
    assert json.loads(done.out)["outcome"] == "done"
    assert f"A topic could not be told: {topic} (" in done.err


def test_it_says_why_nothing_is_to_be_seen(mine: Streams) -> None:
    name = managed(mine, 1)
    throttled = "ProvisionedThroughputExceededException"
    with mine.cloud.faults.during("kinesis", "DescribeStreamSummary", error=throttled) as fault:
        where = ["--local", mine.cloud.name, "--table", mine.table]
        running = subprocess.Popen(
            [*CLEW, "streams", "report", name, *where],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert running.stderr is not None
        said = running.stderr.readline()
        assert fault.id in {each.id for each in mine.cloud.faults}
    out, _ = running.communicate(timeout=30)
    assert said.startswith("AWS is busy, or the stream is being changed: it is asked again, for 3 ")
    assert running.returncode == 0
    assert "1 open shard" in out
