"""What a policy would have done to a stream: a trace is replayed against it, minute by minute.

A :class:`Trace` (from a file, or :func:`from_values`) goes through :func:`simulate` once for each
:class:`Contender`, a policy with the way it changes the stream, under :class:`Conditions` that all
share; each gives an :class:`Outcome`. Needs NumPy, so that nothing outside this folder loads it::

    from clew.scaling.simulation import Contender, from_file, simulate

    trace = from_file("load.csv").trace
    [outcome] = simulate(trace, [Contender("tracked", TargetTracking() | ScaleDown())])
    print(outcome.throttled, outcome.usd(Prices()))
"""

from __future__ import annotations

from clew.scaling.simulation.history import from_file
from clew.scaling.simulation.outcome import Change, Outcome
from clew.scaling.simulation.simulate import Conditions, Contender, simulate
from clew.scaling.simulation.trace import Trace, from_values

__all__ = [
    "Change",
    "Conditions",
    "Contender",
    "Outcome",
    "Trace",
    "from_file",
    "from_values",
    "simulate",
]
