"""Whatever happens to a stream, it ends at shards that are valid for its load and its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import ScalingMachine

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


def test_whatever_happens_it_ends_well(cloud: LocalCloud) -> None:
    class Machine(ScalingMachine):
        pass

    Machine.cloud = cloud
    bounded = settings(
        max_examples=8,
        stateful_step_count=10,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=bounded)
