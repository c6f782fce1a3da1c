"""How ``streams.yml`` writes lengths of time, parts of a whole, days and times of the day. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = r"(\d{1,9}(?:\.\d{1,3})?)([smhd])"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_S = 366 * 86_400


def seconds(value: Any) -> float:
    """The seconds that ``30s``, ``5m``, ``36h`` or ``7d`` mean; a number is some already."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        raise PydanticCustomError(
            "duration", "{value} has no unit; write it like 30s, 5m, 36h or 7d", {"value": value}
        )
    found = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if not found or float(found[1]) * _UNITS_S[found[2]] > _MAX_S:
        raise PydanticCustomError(
            "duration", "{value} is no length of time like 30s, 5m, 36h or 7d", {"value": value}
        )
    return float(found[1]) * _UNITS_S[found[2]]


def part(value: Any) -> float:
    """``0.75`` of ``75%`` or of 0.75."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,3})?\s?%", value):
        return float(value.rstrip("% ")) / 100
    if isinstance(value, float | int) and not isinstance(value, bool):
        if value > 1:
            raise PydanticCustomError(
                "part", "{value} is more than all; write {value}% or a number up to 1",
                {"value": value},
            )  # fmt: skip
        return float(value)
    raise PydanticCustomError("part", "{value} is no part like 75% or 0.75", {"value": value})


def days(value: Any) -> tuple[int, ...]:
    """The numbers (0 is Monday) of ``mon-fri``, of ``sat`` or of a list of such."""
    found: set[int] = set()
    for each in value if isinstance(value, list | tuple) else [value]:
        first, dash, last = str(each).lower().partition("-")
        if first[:3] not in _DAYS or (dash and last[:3] not in _DAYS):
            raise PydanticCustomError(
                "days", "{value} is no day like mon, and no days like mon-fri", {"value": each}
            )
        at = _DAYS.index(first[:3])
        end = _DAYS.index(last[:3]) if dash else at
        found |= {n % 7 for n in range(at, (end if end >= at else end + 7) + 1)}
    if not found:
        raise PydanticCustomError("days", "no day is named; leave it out for every day", {})
    return tuple(sorted(found))


def time_of_day(value: Any) -> str:
    """``07:30``, as it is."""
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", value):
        raise PydanticCustomError(
            "time", "{value} is no time of the day like 07:30", {"value": value}
        )
    return value


def zone(value: Any) -> str:
    """A name of the time zone database."""
    from zoneinfo import ZoneInfo

    from clew.scaling.managed.config_words import nearest_zone

    try:
        ZoneInfo(value)
    except (ValueError, OSError, TypeError, KeyError):
        raise PydanticCustomError(
            "zone",
            "{value} is no time zone that is known here{meant}",
            {"value": value, "meant": nearest_zone(value)},
        ) from None
    return str(value)


_DURATION_SCHEMA = {"type": "string", "pattern": f"^{_DURATION}$", "examples": ["5m", "36h"]}
_PART_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,3})?\s?%$"},
    ],
    "examples": ["75%", 0.75],
}
_DAY = "(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_DAYS_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": f"^{_DAY}(-{_DAY})?$"},
        {"type": "array", "items": {"type": "string", "pattern": f"^{_DAY}(-{_DAY})?$"}},
    ],
    "examples": ["mon-fri", ["sat", "sun"]],
}
_TIME_SCHEMA = {"type": "string", "pattern": r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"}

Seconds = Annotated[float, BeforeValidator(seconds), WithJsonSchema(_DURATION_SCHEMA)]
Part = Annotated[float, Field(gt=0, le=1), BeforeValidator(part), WithJsonSchema(_PART_SCHEMA)]
Rate = Annotated[float, Field(ge=0, le=1), BeforeValidator(part), WithJsonSchema(_PART_SCHEMA)]
Days = Annotated[tuple[int, ...], BeforeValidator(days), WithJsonSchema(_DAYS_SCHEMA)]
TimeOfDay = Annotated[str, BeforeValidator(time_of_day), WithJsonSchema(_TIME_SCHEMA)]
Zone = Annotated[str, BeforeValidator(zone), WithJsonSchema({"type": "string"})]
