"""``clew streams simulate`` and ``recommend``, from files and from a real local cloud."""

from __future__ import annotations

import json
import math
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from clew.cli import main
from clew.scaling.managed.config import parse_config
from clew.scaling.managed.config_resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud

    Run = Callable[..., "Ran"]

MIB = 1_048_576


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_(*words: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(["streams", *words])
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run_


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Eight hours: 1.2 to 3.6 shards' worth and back, every four hours."""
    rows = ["time,IncomingBytes,IncomingRecords"]
    for minute in range(480):
        at = datetime.fromtimestamp(1_767_225_600 + 60 * minute, UTC)
        load = 2.4 - 1.2 * math.cos(minute * 2 * math.pi / 240)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{load * MIB * 60:.0f},{load * 512 * 60:.0f}")
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_policies_are_compared(run: Run, trace: Path) -> None:
    ran = run("simulate", str(trace), "--policy", "fixed:4", "--policy", "fixed:2")
    assert (ran.status, ran.err) == (0, "")
    assert "orders was asked to take 3.6 shards' worth in its fullest minute" in ran.out
    assert "The cheapest that refused nothing is 4 shards, always" in ran.out
    table = [line for line in ran.out.splitlines() if line.startswith(("2 shards", "4 shards"))]
    assert "0 %" in table[0]
    assert "█" in table[2]  # the sparkline


def test_all_kinds_as_json(run: Run, trace: Path) -> None:
    facts = run("simulate", str(trace), "--json", "--closed-rate", "1", "--max", "6").facts
    names = [one["policy"] for one in facts["policies"]]
    assert names[0] == "clew"
    assert {"on-demand", "static", "substation", "optimum"} < set(names)
    assert facts["closed_shard_rate"] == 1.0
    assert all(one["usd_month"] == one["usd_month_closed_billed"] for one in facts["policies"])
    assert all(
        one["shards"]["most"] <= 6 for one in facts["policies"] if one["policy"] != "on-demand"
    )


def test_a_page_and_a_picture_are_written(run: Run, trace: Path, tmp_path: Path) -> None:
    page, picture = tmp_path / "a.html", tmp_path / "a.png"
    ran = run(
        "simulate", str(trace), "--policy", "track", "--html", str(page), "--png", str(picture)
    )
    assert ran.status == 0
    assert f"Written: {page}\nWritten: {picture}\n" in ran.out
    assert page.read_text().startswith("<!doctype html>")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_size_of_a_shape(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    path.write_text("time,requests\n" + "".join(f"{60 * n},{5 + n % 3}\n" for n in range(120)))
    assert "say with --peak-shards how many shards" in run("simulate", str(path)).err
    facts = run("simulate", str(path), "--peak-shards", "7", "--policy", "static", "--json").facts
    assert facts["trace"]["peak_shards"] == 7.0
    assert facts["policies"][0]["shards"] == {"least": 7, "mean": 7.0, "most": 7}


def test_a_hot_key_is_refused_by_any_number_of_shards(run: Run, trace: Path) -> None:
    words = ("simulate", str(trace), "--policy", "fixed:30", "--json", "--max", "30")
    assert run(*words).facts["policies"][0]["refused"] == 0
    assert run(*words, "--hot-key", "50%").facts["policies"][0]["refused"] > 0.05


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "Give the file of a trace, or --stream NAME"),
        (["none.csv", "--stream", "orders"], 2, "Give the file of a trace, or --stream NAME"),
        (["none.csv"], 1, "clew: none.csv cannot be read: No such file or directory."),
        (["none.csv", "--region", "eu-west-1"], 2, "--region goes with --stream"),
        (["TRACE", "--policy", "best"], 1, "clew: There is no policy 'best'; there are clew,"),
        (["TRACE", "--policy", "fixed:x"], 1, "cannot be read; write it as in fixed:6."),
        (["TRACE", "--min", "5", "--max", "4"], 2, "--min 5 is more than --max 4"),
        (["TRACE", "--hot-key", "much"], 2, "'much' is no part like 0.01% or 0.0001"),
        (["TRACE", "--retention", "3h"], 2, "records are kept for 24h to 365d"),
        (["TRACE", "--png", "no/such/folder.png"], 1, "no/such/folder.png cannot be written"),
    ],
)
def test_what_cannot_be_simulated(
    run: Run, trace: Path, words: list[str], status: int, said: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    given = [str(trace) if word == "TRACE" else word for word in words]
    policy = [] if "--policy" in words or not words else ["--policy", "fixed:2"]
    ran = run("simulate", *given, *policy)
    assert ran.status == status
    assert said in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


def test_a_recommendation_can_be_pasted(run: Run, trace: Path, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    words = ("--max", "8", "--throttle", "0.1%", "--catch-up", "2m", "--today", "6")
    facts = run("recommend", str(trace), *words, "--json", "--html", str(page)).facts
    assert facts["meets_goal"] is True
    assert facts["goal"] == {"refused": 0.001, "catch_up_s": 120}
    assert facts["chosen"]["usd_month"] < facts["today"]["usd_month"]
    assert facts["chosen"]["refused"] <= 0.001
    assert facts["confidence"]["word"] == "not sure"  # it is of eight hours
    [wanted] = resolve(parse_config(facts["streams_yml"]), "").streams
    assert wanted.name == "orders"
    # Pasted and simulated again, it does what was said.
    path = tmp_path / "streams.yml"
    path.write_text(facts["streams_yml"])
    again = run("simulate", str(trace), "--max", "8", "--policy", str(path), "--json").facts
    assert again["policies"][0]["usd_month"] == facts["chosen"]["usd_month"]
    assert facts["said"][0] in page.read_text().replace("&#x27;", "'")


def test_a_recommendation_in_words(run: Run, trace: Path) -> None:
    ran = run("recommend", str(trace), "--max", "8")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("orders: at most 0.01 % refused, and never more than 60 s")
    assert lines[1].startswith("Take ")
    assert "Why not surer" in lines
    assert "For streams.yml" in lines
    assert "  orders:" in lines


@pytest.mark.local_cloud
def test_a_stream_of_the_local_cloud(run: Run, cloud: LocalCloud) -> None:
    name = f"simulate-{uuid.uuid4().hex[:10]}"
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=5)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    local = ("--stream", name, "--since", "6h", "--local", cloud.name)
    nothing = run("simulate", *local)
    assert nothing.status == 1
    assert f"clew: The stream {name} has no metrics in the last 6 h" in nothing.err
    first = int(time.time()) // 60 * 60 - 300 * 60
    for metric, value in (("IncomingBytes", 1.5 * MIB * 60), ("IncomingRecords", 1.5 * 512 * 60)):
        data = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "StreamName", "Value": name}],
                "Timestamp": datetime.fromtimestamp(first + 60 * minute, UTC),
                "Value": value,
            }
            for minute in range(300)
        ]
        cloud.client("cloudwatch").put_metric_data(Namespace="AWS/Kinesis", MetricData=data)
    facts = run("simulate", *local, "--policy", "static", "--json").facts
    assert facts["trace"]["peak_shards"] == 1.5
    found = run("recommend", *local, "--json").facts
    assert found["today"]["policy"] == "fixed:5"
    assert found["kind"] == "static"
    assert found["chosen"]["shards"]["most"] == 2
    gone = run("simulate", "--stream", "no-such-stream", "--local", cloud.name)
    assert gone.err == (
        "clew: There is no stream no-such-stream; see its name, the region and the profile.\n"
    )
