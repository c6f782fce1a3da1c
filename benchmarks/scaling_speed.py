"""How long a simulation and a plan take, and what memory a plan needs.

No other system plans or simulates, so that the peer is the limit that clew is to keep.
"""

from __future__ import annotations

from benchmarks.measure import Result, in_fresh_process

_SIMULATION = """
import json, time
import numpy as np
from clew.scaling.policy import ScaleDown, TargetTracking
from clew.scaling.simulation import Conditions, Contender, Trace, simulate

minutes = np.arange(30 * 1440)
random = np.random.default_rng(3)
wave = 0.55 - 0.45 * np.cos(2 * np.pi * minutes / 1440)
wave *= 1 + 0.04 * np.clip(random.normal(size=len(minutes)), -3, 3)
for at in random.integers(0, len(minutes) - 60, size=60):
    wave[at : at + random.integers(5, 60)] *= random.uniform(1.5, 3)
trace = Trace(wave * 1024, wave, name="30 days").scaled(200)
up = TargetTracking(0.75, 300, 0.9, refused_counts=1 / 3)
rule = up | ScaleDown(1.0, 600, 0, 0.75, least=0.15)
started = time.process_time()
[found] = simulate(trace, [Contender("tracked", rule)], Conditions(max_shards=400))
print(json.dumps([time.process_time() - started, len(found.changes)]))
"""

_PLAN = """
import json, resource, time
from random import Random
from clew.scaling import Goal, Load, ShardMap, fewest_operations
from clew.scaling.uniform import even_cuts

random = Random(5)
loads = [Load(1_048_576 * random.lognormvariate(-0.7, 0.6)) for _ in range(5000)]
shards = ShardMap.of_cuts(even_cuts(5000), loads)
started = time.process_time()
plan = fewest_operations(shards, Goal(0.75))
took = time.process_time() - started
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([took, memory, len(plan.operations)]))
"""


def run() -> list[Result]:
    """CPU seconds, each in a process of its own, and the plan's highest resident set."""
    simulated, changes = in_fresh_process(_SIMULATION)
    planned, memory, operations = in_fresh_process(_PLAN)
    return [
        _limit(
            f"30 days of minutes of a stream of up to 200 shards, {changes} changes: CPU time",
            simulated,
            5.0,
            "s",
        ),
        _limit(
            f"a plan for 5,000 uneven shards, {operations:,} operations: CPU time",
            planned,
            1.0,
            "s",
        ),
        _limit("the same: highest memory of the process", memory, 150.0, "MB"),
    ]


def _limit(claim: str, ours: float, limit: float, unit: str) -> Result:
    return Result(claim, ours, limit, "the limit", "", ours / limit, 1.0, ours <= limit, unit)
