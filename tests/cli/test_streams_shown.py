"""``clew streams`` status, report, explain and the commands that need no AWS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from clew.cli.streams import _COMMANDS
from clew.scaling.managed.config import read_config
from clew.scaling.managed.config_resolve import resolve
from clew.scaling.managed.settings import ManagedStream

from .streams import Streams, clew

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud


@pytest.fixture
def mine(cloud: LocalCloud, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Streams:
    found = Streams(cloud, capsys, tmp_path)
    found.make_table()
    return found


def loaded(mine: Streams, name: str, bytes_a_minute: float) -> None:
    """CloudWatch's minute of a stream, as Kinesis tells it there."""
    mine.cloud.client("cloudwatch").put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "StreamName", "Value": name}],
                "Value": value,
            }
            for metric, value in (
                ("IncomingBytes", bytes_a_minute),
                ("IncomingRecords", bytes_a_minute / 10_000),
            )
        ],
    )


@pytest.mark.parametrize("columns", [80, 140])
def test_streams_are_shown_within_the_terminal(
    mine: Streams, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    busy, quiet = mine.create("busy", 2), mine.create("quiet", 3)
    mine.store.put_settings(ManagedStream(busy, 1, 8, env="dev"))
    mine.store.put_settings(ManagedStream(quiet, 1, 4, env="prod"))
    mine.store.put_settings(ManagedStream(f"{mine.mark}-gone", 1, 4, env="prod"))
    loaded(mine, busy, 1.9 * 60 * 1_048_576)

    status = mine.run("status")
    assert max(map(len, status.out.splitlines())) <= columns
    assert f"{busy}  2 shards (1 to 8)" in status.out
    assert "95%" in status.out
    assert f"There is no stream {mine.mark}-gone here" in " ".join(status.out.split())
    assert busy not in mine.run("status", "--env", "prod").out
    assert mine.run("status", busy, "--check").status == 0
    assert mine.run("status", "--check").status == 2  # one is gone
    facts = {one["name"]: one for one in json.loads(mine.run("status", "--json").out)}
    assert facts[busy]["utilisation"] == pytest.approx(0.95)
    assert facts[quiet]["shards"] == 3

    report = mine.run("report", busy)
    assert max(map(len, report.out.splitlines())) <= columns
    assert "Balance 1.00" in report.out
    assert "Shard-level metrics are off" in report.out
    assert "000000000001" in report.out


def test_a_missing_permission_is_named_with_its_service(mine: Streams) -> None:
    name = mine.create("denied", 1)
    mine.store.put_settings(ManagedStream(name, 1, 2))
    with mine.cloud.faults.during("cloudwatch", "GetMetricData", error="AccessDeniedException"):
        status = mine.run("status", "--check")
        explain = mine.run("explain", name)
    assert status.status == 2
    assert "AWS does not allow cloudwatch:GetMetricData here" in " ".join(status.out.split())
    assert explain.status == 1
    assert explain.err.startswith("clew: AWS does not allow cloudwatch:GetMetricData here")


def test_what_would_be_done_is_explained(mine: Streams) -> None:
    full, quiet = mine.create("full", 2), mine.create("quiet", 2)
    mine.store.put_settings(ManagedStream(full, 1, 8))
    mine.store.put_settings(ManagedStream(quiet, 1, 8))
    loaded(mine, full, 3 * 60 * 1_048_576)
    would = mine.run("explain", full)
    assert would.status == 0, would.err
    assert "From 2 shards to 4 by 2 splits" in " ".join(would.out.split())
    assert "3.0 shards' worth" in would.out
    assert mine.open_shards(full) == 2
    assert "left as it is" in mine.run("explain", quiet).out
    facts = json.loads(mine.run("explain", full, "--json").out)
    assert facts["would"] == "change"
    assert [one["kind"] for one in facts["operations"]] == ["split", "split"]


def test_a_first_file_is_written_once(mine: Streams) -> None:
    name = mine.create("first", 3)
    file = mine.folder / "streams.yml"
    where = ("--file", str(file), "--match", f"{mine.mark}-*")
    wrote = mine.run("init", *where, table=False)
    assert wrote.status == 0, wrote.err
    (only,) = resolve(read_config(file), "").streams
    assert (only.name, only.settings.bounds) == (name, (3, 6))
    refused = mine.run("init", *where, table=False)
    assert refused.status == 1
    assert "is there already" in refused.err
    assert mine.run("init", *where, "--force", table=False).status == 0
    assert mine.run("init", "--file", "-", "--match", name, table=False).out == file.read_text()


def test_the_policy_is_told_without_aws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "streams.yml").write_text(
        "version: 1\nstreams:\n  a-{env}: {min: 2, max: 9}\n  b*: {desired: 4}\n"
        "environments: {dev: , prod: }\n"
    )
    told = clew(capsys, "streams", "explain", "--env", "dev")
    assert "a-dev\n" in told.out
    assert "never has fewer than 2 shards, nor more than 9" in " ".join(told.out.split())
    assert "always has 4 shards" in told.out
    right = clew(capsys, "streams", "validate")
    assert right.out == "streams.yml is right: 2 entries in dev, prod.\n"
    wrong = clew(capsys, "streams", "validate", "--env", "test", "--json")
    assert wrong.status == 1
    assert json.loads(wrong.out)["problems"] == [
        "streams.yml:5: there is no environment test; there is dev, prod."
    ]


def test_the_template_of_the_functions_is_written_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "scaling"
    assert clew(capsys, "streams", "template", str(folder)).status == 0
    assert (folder / "template.yaml").stat().st_size
    assert (folder / "function" / "requirements.txt").read_text().startswith("clew")
    again = clew(capsys, "streams", "template", str(folder))
    assert again.status == 1
    assert "--force" in again.err


@pytest.mark.parametrize("name", sorted(set(_COMMANDS) - {"simulate", "recommend"}))
def test_every_command_helps_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = clew(capsys, "streams", name, "--help")
    assert told.status == 0
    assert "Examples:\n    clew streams " in told.out
    assert "--json" in told.out or name in ("init", "schema", "template")


def test_what_is_not_managed_or_not_there_is_told(mine: Streams) -> None:
    assert "No stream is managed" in mine.run("status").err
    nobody = mine.run("report", f"{mine.mark}-none")
    assert nobody.status == 1
    assert f"There is no stream {mine.mark}-none here" in nobody.err
    name = mine.create("plain", 2)
    unmanaged = clew(
        mine.capsys, "streams", "report", name, "--local", mine.cloud.name, "--table", "no-such"
    )
    assert "2 open shards" in unmanaged.out
    both = mine.run("status", "--region", "eu-west-1")
    assert both.status == 2
    assert "--local is of a local cloud" in both.err


def test_the_file_says_where_an_environment_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clew.cli.streams_where import named, session_for

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    file = tmp_path / "streams.yml"
    given = {"file": file, "env": "prod", "local": None, "region": None, "profile": None}
    assert session_for(given).region_name == "us-west-2"
    file.write_text(
        "version: 1\nstreams: {a: {max: 1}}\nenvironments: {prod: {region: eu-west-1}, dev: }\n"
    )
    assert session_for(given).region_name == "eu-west-1"
    assert session_for(given | {"region": "eu-north-1"}).region_name == "eu-north-1"
    assert session_for(given | {"env": None}).region_name == "us-west-2"  # which one is not said
    assert named("orders-{env}", given) == "orders-prod"


@pytest.mark.parametrize(
    ("missing", "words", "extra"),
    [
        ("yaml", ["streams", "plan"], "scaling"),
        ("pydantic", ["streams", "plan", "--local"], "scaling"),
        ("boto3", ["streams", "status", "--local"], "scaling"),
        ("psutil", ["streams", "status", "--local"], "local"),
        ("yaml", ["local", "up"], "local"),
        ("rich", ["local", "up"], "local"),
        ("boto3", ["worker", "run"], "ops"),
        ("nobody", ["streams"], None),
    ],
)
def test_the_extra_that_a_command_needs_is_named(
    missing: str, words: list[str], extra: str | None
) -> None:
    from clew.cli import _extra

    assert _extra(missing, words) == extra


def test_what_the_table_has_is_shown_as_text(mine: Streams) -> None:
    name = mine.create("hostile", 1)
    mine.store.put_settings(ManagedStream(name, 1, 2))
    record = {"id": "1", "at_s": time.time(), "who": "a\x1b[31m\u202e", "outcome": "failed\x07",
              "why": "b\x1b]0;x\x07", "plan": "", "hot_keys": ["k\x1b[2J"], "notes": ["n\r\n"],
              "map_before": "|\x1b[1m", "map_after": "|\x1b[5m"}  # fmt: skip
    mine.store.put_audit(name, record)
    for command in ("history", "status", "explain"):
        shown = mine.run(command, name).out
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\u202e" not in shown
    assert "a\\x1b[31m\\u202e" in mine.run("history", name).out
