"""Time two ways of doing the same work so that a noisy machine does them the same harm."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Result:
    """One claim and what came of it. ``ours`` and ``peer`` are in ``unit``."""

    claim: str
    ours: float
    peer: float
    peer_name: str
    peer_version: str
    ratio: float
    target: float
    met: bool
    unit: str = "µs"

    def as_json(self) -> dict[str, Any]:
        """The row as it stands in ``results.json``."""
        return asdict(self)


def version(distribution: str) -> str:
    """The installed version of a peer."""
    return metadata.version(distribution)


def compare(
    ours: Callable[[], object], peer: Callable[[], object], *, times: int, rounds: int = 15
) -> tuple[float, float, float]:
    """(ours, peer, ratio): CPU microseconds a call, and the median of the rounds' ratios.

    The two take turns; each round's ratio is of two neighbouring runs, so a drift of the
    machine's speed falls out. CPU time of this process, not the wall's: other processes do not
    count. ``times`` calls make one run.
    """
    runs: list[tuple[float, float]] = []
    for number in range(rounds + 2):
        first, second = _run(ours, times), _run(peer, times)
        if number >= 2:  # two rounds to warm up
            runs.append((first, second))
    return (
        statistics.median(first for first, _ in runs),
        statistics.median(second for _, second in runs),
        statistics.median(first / second for first, second in runs),
    )


def _run(call: Callable[[], object], times: int) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        for _ in range(times):
            call()
        return (time.process_time() - started) / times * 1e6
    finally:
        gc.enable()


def result(
    claim: str,
    measured: tuple[float, float, float],
    *,
    peer: str,
    target: float,
    unit: str = "µs",
    at_least: bool = False,
) -> Result:
    """A row of the table. ``peer`` is a distribution's name; the ratio is ours to theirs."""
    ours, theirs, ratio = measured
    met = ratio >= target if at_least else ratio <= target
    return Result(claim, ours, theirs, peer, version(peer), ratio, target, met, unit)


def in_fresh_process(code: str, *arguments: str) -> Any:
    """Run ``code`` in an interpreter of its own; what it prints is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])
