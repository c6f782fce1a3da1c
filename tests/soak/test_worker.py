"""Workers that are killed: for seconds here, for minutes with ``make soak``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .journal import judge
from .soak_worker import Plan, soak

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

    from .soak_worker import Report


SMALL = Plan(
    records=4_000,
    shards=2,
    reshards=2,
    workers=2,
    put_per_second=1_000,
    kill_every_s=0.8,
    lease_s=0.8,
    timeout_s=60,
)


def check(report: Report) -> None:
    verdict = report.verdict
    assert verdict.handled == report.records, report.text()
    assert not verdict.out_of_order
    assert not verdict.stale
    assert not verdict.unexplained
    assert not verdict.discarded
    assert report.kills + report.pauses > 0
    assert set(report.exit_codes) == {0}


def test_killed_workers_lose_nothing_in_seconds(cloud: LocalCloud, tmp_path: Path) -> None:
    report = soak(cloud, tmp_path, SMALL)
    check(report)
    assert report.reshards == SMALL.reshards


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_workers_lose_nothing_in_minutes(
    cloud: LocalCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = soak(cloud, tmp_path, Plan())
    with capsys.disabled():
        print(f"\n{report.text()}")
    check(report)
    assert report.reshards == Plan.reshards


def test_what_would_be_wrong_is_noticed() -> None:
    def line(what: str, token: int, *records: str, shard: str = "s") -> dict[str, Any]:
        return {"batch": what, "shard": shard, "token": token, "records": list(records)}

    good = judge(
        [
            line("begun", 1, "a:0", "a:1"),
            line("done", 1, "a:0", "a:1"),
            line("begun", 1, "a:2"),
            line("begun", 2, "a:2"),  # the first holder was killed
            line("done", 2, "a:2"),
        ]
    )
    assert (good.handled, good.repeats) == (3, 1)
    assert not (good.out_of_order or good.stale or good.unexplained)
    assert judge([line("begun", 1, "a:1")]).out_of_order == ["a:1"]
    assert judge([line("begun", 2, "a:0"), line("begun", 1, "a:1")]).stale
    settled = [
        line("begun", 1, "a:0"),
        line("done", 1, "a:0"),
        line("begun", 1, "a:1"),
        line("begun", 2, "a:0"),  # it was written down as done before the second batch began
    ]
    assert judge(settled).unexplained == ["a:0"]
