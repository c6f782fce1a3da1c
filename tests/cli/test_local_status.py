"""What ``clew local status`` shows of mappings, and which cloud is meant where several run."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import psutil
import pytest
from rich.console import Console

from clew.cli.local_status import _mapping_lines
from clew.localcloud.errors import LocalCloudError
from clew.localcloud.mappings import MappedShard, StreamMapping
from clew.localcloud.state import CloudRecord, find_cloud, register

from .test_local import clew

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = "arn:aws:sqs:us-east-1:000000000000:shop-failed-orders"


def test_what_came_of_a_batch_can_be_read_in_80_columns() -> None:
    said = f"gave up 1 record after 3 attempts; sent to {QUEUE}."
    shard = MappedShard("shardId-000000000000", 12, 5, 2, said)
    mapping = StreamMapping(
        "uuid", "shop-Drained-0123456789AB", "arn:aws:kinesis:us-east-1:0:stream/orders",
        "running", said, "", (shard,),
    )  # fmt: skip
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False)
    for line in _mapping_lines(mapping):
        console.print(line)
    first, *lines = out.getvalue().splitlines()
    assert first.rstrip() == "  shop-Drained-0123456789AB  from orders  running"
    assert len(lines) == 2
    assert "arn:" not in out.getvalue()
    assert " ".join(out.getvalue().split()).endswith("sent to shop-failed-orders.")


@pytest.fixture
def two_clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("CLEW_STATE_DIR", str(tmp_path))
    own = os.getpid()
    record = CloudRecord(
        "blue", 9, "us-east-1", own, psutil.Process(own).create_time(), "x", "t" * 100
    )
    return [register(record).name for _ in range(2)]


def test_where_several_run_the_way_to_name_one_is_said(two_clouds: list[str]) -> None:
    assert two_clouds == ["blue", "blue-2"]
    with pytest.raises(LocalCloudError, match=r"\(blue, blue-2\); .* --name NAME") as raised:
        find_cloud()
    assert "clew local down NAME" in str(raised.value)


def test_columns_count_where_it_is_piped(two_clouds: list[str]) -> None:
    assert len(two_clouds) == 2
    narrow = clew("local", "status", COLUMNS="60").stdout
    assert max(map(len, narrow.splitlines())) <= 60
    assert "t" * 100 in clew("local", "status", COLUMNS="").stdout
