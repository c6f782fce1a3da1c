"""Scaling of Kinesis streams: what to split and merge, when, and what it would have done before.

Everything here decides and nothing here acts. What a stream looks like (:class:`ShardMap`) and
what is wanted (:class:`Goal`) go in; a :class:`Plan` comes out, or every way that there is
(:func:`weigh`)::

    before = ShardMap.even(4, Load(bytes_per_s=5_000_000))
    print(fewest_operations(before, Goal(target=0.8)).explain())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clew.scaling.hot_keys import HotKey
    from clew.scaling.limits import Limits, Timing
    from clew.scaling.model import KEY_SPACE, Load, Piece, ScalingError, Shard, ShardMap
    from clew.scaling.options import Options, weigh
    from clew.scaling.plan import Goal, Operation, Plan, fewest_operations, remaining
    from clew.scaling.prices import Prices
    from clew.scaling.situation import Situation

__all__ = [
    "KEY_SPACE",
    "Goal",
    "HotKey",
    "Limits",
    "Load",
    "Operation",
    "Options",
    "Piece",
    "Plan",
    "Prices",
    "ScalingError",
    "Shard",
    "ShardMap",
    "Situation",
    "Timing",
    "fewest_operations",
    "remaining",
    "weigh",
]

_WHERE = {
    "Limits": "limits",
    "Timing": "limits",
    "KEY_SPACE": "model",
    "Load": "model",
    "Piece": "model",
    "ScalingError": "model",
    "Shard": "model",
    "ShardMap": "model",
    "Options": "options",
    "weigh": "options",
    "Goal": "plan",
    "HotKey": "hot_keys",
    "Operation": "plan",
    "Plan": "plan",
    "fewest_operations": "plan",
    "remaining": "plan",
    "Prices": "prices",
    "Situation": "situation",
}


def __getattr__(name: str) -> Any:
    # A function that plans does not load NumPy, which only the simulator needs.
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"clew.scaling.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
