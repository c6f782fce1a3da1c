"""Plans and what they cost, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.scaling.plan import Plan


def of_plan(plan: Plan) -> str:
    """What a plan does, how long that takes, what it costs and what to expect of it."""
    said = [_what(plan), *(str(key) for key in plan.hot_keys)]
    if plan.method != "on-demand":
        said.append(_expected(plan))
    if not plan.nothing_to_do:
        said.append(_price(plan))
    if plan.short_of_proof:
        said.append(
            f"The search was cut short: up to {count(plan.short_of_proof, 'operation')} fewer"
            " might do."
        )
    return " ".join(said)


def _what(plan: Plan) -> str:
    if plan.method == "on-demand":
        return f"Switch the stream from {count(plan.before, 'shard')} to on-demand mode."
    if plan.nothing_to_do:
        return f"Leave the {count(plan.before, 'shard')} as they are."
    way = f"From {count(plan.before, 'shard')} to {plan.after}"
    if plan.method == "UpdateShardCount":
        steps = ", then ".join(str(step) for step in plan.calls)
        calls = f"{count(len(plan.calls), 'call')} of UpdateShardCount ({steps})"
        return f"{way} by {calls}, in {duration(plan.duration_s)}."
    splits = sum(one.kind == "split" for one in plan.operations)
    parts = [
        count(number, kind)
        for number, kind in ((splits, "split"), (len(plan.operations) - splits, "merge"))
        if number
    ]
    return f"{way} by {' and '.join(parts)}, in {duration(plan.duration_s)}."


def _expected(plan: Plan) -> str:
    if plan.reaches_target:
        return f"The fullest shard is expected at {plan.peak:.0%}."
    if plan.hot_keys and plan.peak <= max(key.utilisation for key in plan.hot_keys) + 1e-6:
        return f"The shard of that key stays at {plan.peak:.0%}."
    return f"The fullest shard stays at {plan.peak:.0%}, above the target of {plan.target:.0%}."


def _price(plan: Plan) -> str:
    once = f" and {usd(plan.usd_once)} once for the shards that it closes" if plan.usd_once else ""
    return f"It costs {usd(plan.usd_month)} a month instead of {usd(plan.usd_month_before)}{once}."


def count(number: int, noun: str) -> str:
    """``1 shard``, ``2 shards``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def usd(amount: float) -> str:
    """An amount, with cents while they matter."""
    return f"${amount:,.2f}" if abs(amount) < 100 else f"${amount:,.0f}"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"
