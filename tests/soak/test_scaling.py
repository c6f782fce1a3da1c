"""Scaling functions that are killed: at every call, and in a storm, with ``make soak``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from scaling.managed.machine import ScalingMachine
from scaling.managed.stage import Stage

from .soak_scaling import Functions, Storm, storm

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("method", "load", "wanted", "after"),
    [
        ("operations", 3.7, 5, False),
        ("operations", 3.7, 5, True),
        ("update-shard-count", 5.9, 8, True),
    ],
)
def test_a_function_killed_at_every_call(
    cloud: LocalCloud,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    method: str,
    load: float,
    wanted: int,
    after: bool,
) -> None:
    number, killed = 0, True
    functions: Functions | None = None
    while killed:
        on = Stage(cloud, 3, cool_down_s=60, method=method)
        folder = tmp_path / str(number)
        folder.mkdir()
        functions = Functions(on, folder)
        on.clock.now = time.time()
        on.write(load)
        event, request_id = on.alarm(), str(uuid4())
        said = functions.invoke("scale_up", event, request_id=request_id, kill=number, after=after)
        killed = said["killed"]
        assert 3 <= len(on.shards()) <= wanted
        again = functions.invoke("scale_up", event, request_id=request_id)
        assert again == {"killed": False, "code": 0}, functions.log.read_text()[-2000:]
        functions.end()
        assert len(on.shards()) == wanted, number
        assert on.store.plan(on.stream) is None
        assert on.thresholds() == on.wanted_thresholds()
        done = [one for one in on.store.audit(on.stream) if one["outcome"] == "done"]
        assert len(done) == 1, number
        on.close()
        number += 1
    with capsys.disabled():
        when = "right after" if after else "right before"
        print(f"\n{method}: killed {when} each of {number - 1} calls")
    assert number > 10


def test_a_storm_ends_in_a_valid_stream(
    cloud: LocalCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = storm(cloud, tmp_path, Storm())
    with capsys.disabled():
        print(f"\n{report.text()}")
    assert not report.overtaken
    assert not report.outside
    assert not report.problems
    assert report.counts["killed"] > 0
    assert report.counts["actions that changed the stream"] > 3


def test_whatever_happens_for_longer(cloud: LocalCloud) -> None:
    class Machine(ScalingMachine):
        pass

    Machine.cloud = cloud
    longer = settings(
        max_examples=20,
        stateful_step_count=20,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=longer)
