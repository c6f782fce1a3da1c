"""The shards of a stream as a picture: their ranges side by side, and how full each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.scaling.model import ShardMap

_LEVELS = " ▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "  .:-=+*#"
_ROWS = 3
_LEAST = 20


def colour(utilisation: float, target: float) -> str:
    """Green within the target, yellow above it, red when it is full."""
    return "red" if utilisation >= 1 else "yellow" if utilisation > target else "green"


def bar(
    part: float, width: int, *, target: float = 0.75, ascii_only: bool = False, style: str = ""
) -> Text:
    """How full something is, as a bar of so many columns; what is above 100 % fills it."""
    full, empty = ("#", ".") if ascii_only else ("█", "░")
    filled = min(max(round(part * width), 1 if part > 0.005 else 0), width)
    shown = Text(full * filled, style or colour(part, target))
    return shown.append(empty * (width - filled), "dim")


def picture(
    shards: ShardMap,
    utilisation: Sequence[float],
    width: int,
    *,
    target: float = 0.75,
    ascii_only: bool = False,
) -> Iterator[Text]:
    """The hash keys from left to right, how full the shard of each is, and where shards meet.

    Where a column stands for several shards, it shows the fullest of them. Of a stream without
    any load there is only the line with the ranges.
    """
    width = max(width, _LEAST)
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    columns = [_of_column(shards, at, width) for at in range(width)]
    fullest = [max(utilisation[number] for number in range(a, b + 1)) for a, b in columns]
    for row in reversed(range(_ROWS if any(fullest) else 0)):
        line = Text()
        for part in fullest:
            height = min(max(part, 0.0), 1.0) * _ROWS * 8 - row * 8
            line.append(levels[min(max(round(height), 0), 8)], colour(part, target))
        yield line
    yield Text(_ruler(columns, ascii_only=ascii_only), "dim")
    yield Text(f"0{'hash keys'.center(width - 6)}2^128", "dim")


def _of_column(shards: ShardMap, at: int, width: int) -> tuple[int, int]:
    """The numbers of the first and the last shard in a column."""
    from bisect import bisect_left, bisect_right

    cuts = shards.cuts
    start, end = at * KEY_SPACE // width, (at + 1) * KEY_SPACE // width
    return bisect_right(cuts, start), bisect_left(cuts, end)


def _ruler(columns: Sequence[tuple[int, int]], *, ascii_only: bool) -> str:
    """A line with a mark wherever a shard begins."""
    line, mark, many = ("-", "|", "#") if ascii_only else ("─", "┴", "┻")
    shown, last = "", -1
    for first, end in columns:
        begun = end - last if last >= 0 else end + 1
        shown += line if begun <= 0 and first <= last else (mark if begun <= 1 else many)
        last = max(last, end)
    return shown


def balance(shards: ShardMap) -> float:
    """The widest shard's range over the narrowest's; 1 is even."""
    widths = [shard.end - shard.start for shard in shards.shards]
    return max(widths) / min(widths)


def megabytes(bytes_per_s: float) -> str:
    """``1.24 MB/s``, ``310 kB/s``."""
    if bytes_per_s >= 1_000_000:
        return f"{bytes_per_s / 1_000_000:.2f} MB/s"
    return f"{bytes_per_s / 1000:.0f} kB/s" if bytes_per_s >= 1000 else f"{bytes_per_s:.0f} B/s"


def place(key: int) -> str:
    """Where a hash key is in all of them: ``43.8%``."""
    return f"{100 * key / KEY_SPACE:.1f}%"
