"""A history from CSV: with a header, or without; or as the CloudWatch console saves a graph."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.simulation.history import Points

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATE_S = 4_102_444_800  # 2100-01-01: larger numbers are milliseconds
_PARTS = ("%", "percent", "utilization", "utilisation")
_MOST_SHOWN = 40
#: How many rows the CloudWatch console may write above the first time: labels, ids, statistics.
_MOST_HEADER = 40


class _Row:
    __slots__ = ("cells", "line")

    def __init__(self, line: int, cells: list[str]) -> None:
        self.line, self.cells = line, [cell.strip() for cell in cells]


def points_of_csv(text: str, source: str) -> Points:
    """The points in CSV: times in the first column, sums in the others.

    Raises:
        ScalingError: A row is wrong; the sentence names its line.
    """
    rows = _rows(text, source)
    first = next((n for n, row in enumerate(rows) if seconds(row.cells[0]) is not None), None)
    if first is None or first > _MOST_HEADER:
        raise ScalingError(
            f"{source}, line {rows[0].line} is no CSV of a load: no row begins with a time, but"
            f" with {_shown(rows[0].cells[0])}; give a time and a number in each row."
        )
    body = rows[first:]
    kinds = _kinds(rows[:first], len(body[0].cells), source)
    if len(body) > 2 and _descending(body):
        body.reverse()  # newest first, as GetMetricData answers
    times: list[float] = []
    columns: dict[str, list[float]] = {kind: [] for kind in kinds.values()}
    for row in body:
        at = seconds(row.cells[0])
        if at is None:
            raise ScalingError(
                f"{source}, line {row.line} begins with {_shown(row.cells[0])}, which is no time;"
                " write it as in 2026-01-31T07:30:00Z or in seconds since 1970."
            )
        times.append(at)
        for values in columns.values():
            values.append(0.0)
        for number, kind in kinds.items():
            columns[kind][-1] += _number(row, number, source)
    return Points(
        np.array(times),
        {kind: np.array(numbers) for kind, numbers in columns.items()},
        lambda n: f"{source}, line {body[n].line}",
        _doubts(columns),
    )


def _rows(text: str, source: str) -> list[_Row]:
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = next((one for one in (",", ";", "\t") if one in first), ",")
    reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    try:
        found = [
            _Row(reader.line_num, cells)
            for cells in reader
            if any(cell.strip() for cell in cells) and not cells[0].startswith("#")
        ]
    except csv.Error as error:
        raise ScalingError(f"{source}, line {reader.line_num} is no CSV: {error}.") from error
    lone = next((row for row in found if len(row.cells) < 2), None)
    if not found or (lone is not None and lone is found[0]):
        line = found[0].line if found else 1
        raise ScalingError(
            f"{source}, line {line} has one column; give CSV with a time and a number in each row."
        )
    return found


def _kinds(header: Sequence[_Row], width: int, source: str) -> dict[int, str]:
    """What is in which column. One column that nobody named is a value."""
    said = ["" for _ in range(width)]
    for row in header:
        for number, cell in enumerate(row.cells[:width]):
            said[number] += f" {cell.lower()}"
    line = header[-1].line if header else 1
    kinds = {}
    for number, name in enumerate(said[1:], 1):
        if any(part in name for part in _PARTS):
            raise ScalingError(
                f"{source}, line {line}: the column {_shown(name)} has percentages, which say how"
                " full something was and not what was sent to it; give the sums of IncomingBytes"
                " and IncomingRecords."
            )
        if kind := kind_of(name):
            kinds[number] = kind
    if kinds and set(kinds.values()) != {"refused"}:
        return kinds
    named = [number for number in range(1, width) if number not in kinds]
    if not named:
        raise ScalingError(
            f"{source}, line {line} names what was refused, but not what was accepted; give"
            " columns of IncomingBytes and IncomingRecords, too."
        )
    return {named[0]: "value"}


def kind_of(name: str) -> str:
    """What a metric's name or a column's says is in it; empty: nothing that is known."""
    lower = name.lower()
    if any(part in lower for part in ("exceeded", "throttl", "refused", "rejected")):
        return "" if "read" in lower else "refused"
    if "outgoing" in lower or "getrecords" in lower:
        return ""
    return "bytes" if "bytes" in lower else "records" if "records" in lower else ""


def _number(row: _Row, number: int, source: str) -> float:
    cell = row.cells[number] if number < len(row.cells) else ""
    if not cell:
        return 0.0  # as CloudWatch has it where nothing was put
    try:
        value = float(cell)
    except ValueError:
        hint = "; percentages are no load" if cell.endswith("%") else ""
        raise ScalingError(
            f"{source}, line {row.line} has {_shown(cell)} where a number has to be{hint}."
        ) from None
    if not isfinite(value):
        raise ScalingError(
            f"{source}, line {row.line} has {_shown(cell)}, which is no number to go by; leave"
            " the cell empty where nothing is known."
        )
    if value < 0:
        raise ScalingError(
            f"{source}, line {row.line} has {_shown(cell)}: less than nothing was never put."
        )
    return value


def _doubts(columns: dict[str, list[float]]) -> tuple[str, ...]:
    values = columns.get("value", [])
    fractions = sum(value != int(value) for value in values)
    if values and 20 < max(values) <= 100 and fractions > len(values) / 2:
        return (
            "Its values are fractions between 0 and 100: if they are percentages of what some"
            " machine can do, they are no load and nothing below holds.",
        )
    return ()


def _descending(body: Sequence[_Row]) -> bool:
    first, second, last = (seconds(body[n].cells[0]) for n in (0, 1, -1))
    if first is None or second is None or last is None:
        return False
    return first > second > last


def seconds(text: str) -> float | None:
    """A time in seconds since the epoch (UTC, if it does not say); None if it is no time."""
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not isfinite(number) or number < 0:
            return None
        return number / 1000 if number > _DATE_S else number
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _shown(text: str) -> str:
    short = text.strip()
    return repr(short if len(short) <= _MOST_SHOWN else f"{short[:_MOST_SHOWN]}…")
