"""Loads to judge scaling policies on: made ones, and real ones where they are at hand.

Real ones are CSV files of the Numenta Anomaly Benchmark (MIT licence, Numenta Inc.), which are not
part of this project: a folder with them is named by ``CLEW_TRACES``, or is ``../shared/traces``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.simulation.history import from_file
from clew.scaling.simulation.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Series = NDArray[np.float64]

#: What the highest minute of every load needs.
PEAK = 40
RECORD_BYTES = 1024
_DAY = 1440
_MADE_DAYS = 14
_BESIDE = Path(__file__).parents[2] / "shared" / "traces"
_REAL = (
    "nyc_taxi",
    "elb_request_count_8c0756",
    "ec2_network_in_257a54",
    "Twitter_volume_AAPL",
    "Twitter_volume_UPS",
)


def real() -> Iterator[Trace]:
    """Those of the real loads that are there."""
    folder = Path(os.environ.get("CLEW_TRACES", _BESIDE))
    for name in _REAL:
        if (folder / f"{name}.csv").is_file():
            found = from_file(folder / f"{name}.csv", record_bytes=RECORD_BYTES)
            yield found.trace.scaled(PEAK)


def made() -> Iterator[Trace]:
    """A daily wave, steps, spikes, ramps, and a wave in which one key becomes hot. Seeded."""
    random = np.random.default_rng(2)
    minutes = np.arange(_MADE_DAYS * _DAY)
    wave = 0.55 - 0.45 * np.cos(2 * np.pi * (minutes - 4 * 60) / _DAY)
    yield _trace("daily wave", wave * (1 - 0.25 * (minutes // _DAY % 7 >= 5)), random)
    steps = np.full(len(minutes), 0.2)
    for at, length in _events(random, len(minutes), every=16 * 60, least=180, most=480):
        steps[at : at + length] *= random.choice([2, 4])
    yield _trace("step", steps, random)
    spikes = np.full(len(minutes), 0.08)
    for at, length in _events(random, len(minutes), every=10 * 60, least=8, most=25):
        spikes[at : at + length] *= random.uniform(4, 12)
    yield _trace("spike", spikes, random)
    ramps = np.full(len(minutes), 0.1)
    for at, length in _events(random, len(minutes), every=20 * 60, least=240, most=420):
        half = length // 2
        rise = np.concatenate([np.linspace(0, 1, half), np.linspace(1, 0, half)])
        ramps[at : at + 2 * half] += rise[: len(ramps) - at] * random.uniform(0.4, 0.9)
    yield _trace("ramp", ramps, random)
    share = np.zeros(len(minutes))
    for at, length in _events(random, len(minutes), every=40 * 60, least=120, most=240):
        share[at : at + length] = random.uniform(0.05, 0.2)
    yield _trace("hot key", wave, random, hot_key=share)


def _events(
    random: np.random.Generator, minutes: int, *, every: int, least: int, most: int
) -> Iterator[tuple[int, int]]:
    """When something happens and how long, in minutes."""
    at = int(random.uniform(0, every))
    while at < minutes:
        length = int(random.uniform(least, most))
        yield at, length
        at += length + int(random.exponential(every))


def _trace(
    name: str, shape: Series, random: np.random.Generator, hot_key: Series | None = None
) -> Trace:
    """The shape with 4 % of noise, at the size that all loads have."""
    load = shape * (1 + 0.04 * np.clip(random.normal(size=len(shape)), -3, 3))
    return Trace(load * RECORD_BYTES, load, name=name, hot_key=hot_key).scaled(PEAK)
