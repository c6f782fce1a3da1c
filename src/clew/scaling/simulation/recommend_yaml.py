"""A stream's settings as ``streams.yml`` says them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.scaling.managed.settings import ManagedStream, Minimum

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Words that YAML takes for something else than text.
_NO_NAME = re.compile(r"[-+]?[\d.]+([eE][-+]?\d+)?|true|false|null|~|\..*|-.*", re.IGNORECASE)


def streams_yml(settings: ManagedStream, said: str = "") -> str:
    """A whole file with that one stream; ``said`` is a comment above it."""
    lines = ["version: 1", "streams:"]
    lines += [f"  # {one}" for one in said.splitlines()]
    name = settings.name
    lines.append(f'  "{name}":' if _NO_NAME.fullmatch(name) else f"  {name}:")
    lines += [f"    {one}" for one in _of(settings)]
    return "\n".join(lines) + "\n"


def _of(one: ManagedStream) -> list[str]:
    also = [] if one.retention_h == 24 else [f"retention: {_time(one.retention_h * 3600)}"]
    if one.closed_shard_rate:
        also.append(f"closed_shard_rate: {one.closed_shard_rate:g}")
    if one.mode == "on-demand":
        return ["mode: on-demand", *also]
    if one.desired is not None:
        return [f"desired: {one.desired}", *also]
    said = [
        f"min: {one.min_shards}",
        f"max: {one.max_shards}",
        f"target: {_part(one.target)}",
        *also,
        f"scale_up: {{alarm_at: {_part(one.alarm_at)}, over: {_time(one.up_over_s)}}}",
    ]
    every = "" if one.down_every_s is None else f", every: {_time(one.down_every_s)}"
    over = _time(one.down_over_s)
    said.append(f"scale_down: {{below: {_part(one.down_below)}, over: {over}{every}}}")
    if one.schedule:
        said.append("schedule:")
        said += [f"  - {_minimum(minimum)}" for minimum in one.schedule]
    if one.predictive:
        said.append("predictive: true")
    return said


def _minimum(one: Minimum) -> str:
    parts = [f'from: "{one.start}"', f'to: "{one.end}"', f"min: {one.minimum}"]
    if len(one.days) < 7:
        parts.append(f"days: [{', '.join(_DAYS[day] for day in one.days)}]")
    if one.timezone != "UTC":
        parts.append(f"timezone: {one.timezone}")
    return f"{{{', '.join(parts)}}}"


def _part(value: float) -> str:
    percent = f"{round(100 * value, 3):g}"
    return f"{percent}%" if float(percent) / 100 == value else f"{value}"


def _time(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
