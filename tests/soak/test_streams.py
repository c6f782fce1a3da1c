"""Handlers whose process, memory, time and queue fail: seconds here, minutes by ``make soak``."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from .outcomes import judge
from .soak_streams import Plan, soak

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

    from .outcomes import Judged
    from .soak_streams import Report


def check(report: Report) -> None:
    for one in report.runs:
        judged, which = one.judged, f"{one.policy}, {one.how}, table: {one.table}"
        assert not judged.lost, f"{which}: {judged.lost[:10]} of {len(judged.lost)}"
        assert not judged.twice, f"{which}: {judged.twice[:10]}"
        assert not judged.out_of_order, f"{which}: {judged.out_of_order[:10]}"
        assert sum(judged.ends.values()) == one.records, which
        assert judged.ends.keys() <= {"done", "skipped", "dead-lettered"}, which
        if one.table:
            assert judged.effects_twice == 0, which
            assert not judged.unexplained, f"{which}: {judged.unexplained[:10]}"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_record_ends_in_one_outcome(
    cloud: LocalCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = soak(cloud, tmp_path, Plan())
    with capsys.disabled():
        print(f"\n{report.text()}")
    check(report)


def test_what_would_be_wrong_is_noticed(tmp_path: Path) -> None:
    def judged(journal: str, *lines: dict[str, object], **known: Any) -> Judged:
        (tmp_path / "journal").write_text(journal)
        (tmp_path / "log-1").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        given = {
            "numbers": {"s0": 0, "s1": 1},
            "key_of": lambda number: 0,
            "acknowledged": {"s0": ["r"], "s1": ["r"]},
            "answered": {"r"},
            "deliveries": Counter({"s0": 1, "s1": 2}),
            "letters": [],
        }
        return judge(tmp_path, **{**given, **known})

    def wide(*outcomes: str) -> dict[str, object]:
        entries = [
            {"sequenceNumber": f"s{at}", "outcome": outcome, "attempts": 1}
            for at, outcome in enumerate(outcomes)
        ]
        return {"message": "invocation", "requestId": "r", "received": entries}

    good = judged("effect 0 r\neffect 1 r\n", wide("done", "done"))
    assert (good.ends["done"], good.again) == (2, 1)
    assert not (good.lost or good.twice or good.out_of_order or good.effects_twice)
    assert judged("effect 0 r\n", wide("done", "done")).lost == ["1: done, and nothing shows it"]
    assert judged("effect 1 r\neffect 0 r\n", wide("done", "done")).out_of_order == [0]
    assert judged("effect 0 r\n", wide("done", "skipped")).lost
    assert judged("effect 0 r\n", wide("done", "dead-lettered")).lost
    once = judged("", wide("done", "done"), acknowledged={"s0": ["r", "r"]})
    assert once.twice
    assert once.lost == ["1: []"]
    skip: dict[str, object] = {"message": "record skipped", "sequenceNumber": "s1"}
    assert not judged("effect 0 r\n", wide("done", "skipped"), skip).lost
    again = "effect 0 r\neffect 1 r\nagain 1 r\n"
    assert judged(again, wide("done", "done")).unexplained == [1]
    unsaid = judged("effect 0 r\nagain 1 r\n", wide("done", "done"))
    assert not (unsaid.lost or unsaid.unexplained), "killed between its effect and this line"
    assert judged("again 1 r\nagain 1 r\n", wide("done", "done")).unexplained == [1]
    cut_off = "effect 0 r\neffect 1 killed\nagain 1 r\n"
    assert not judged(cut_off, wide("done", "done")).unexplained
