"""How far a shard is done, as text in its lease."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import WorkerError
from clew.streams.worker.machine import Lane
from clew.streams.worker.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Restored:
    """Where a shard goes on."""

    #: Everything up to here is done in every lane; None if it has to be read from its start.
    position: str | None
    #: When the stream took that record, or 0 if that is not known.
    arrived: float
    lanes: tuple[Lane, ...]


def write(lanes: Sequence[Lane]) -> str:
    """The positions of all lanes, and their open windows."""
    return json.dumps({"lanes": [_written(lane) for lane in lanes]}, separators=(",", ":"))


def read(text: str, lanes: int) -> Restored:
    """The lanes of a shard as they were.

    Where their number has changed, keys have moved between them: all go on from the one that was
    the furthest behind, and open windows begin again. Raises `WorkerError` if the text is not
    what `write` makes.
    """
    fresh = tuple(Lane() for _ in range(lanes))
    if not text:
        return Restored(None, 0.0, fresh)
    kept = _parsed(text)
    behind = min(kept, key=lambda lane: int(lane.done) if lane.done else -1)
    if len(kept) != lanes:
        kept = [replace(lane, done=behind.done, done_arrived=behind.done_arrived) for lane in fresh]
    return Restored(behind.done, behind.done_arrived, tuple(kept))


def is_past(text: str, sequence: str) -> bool:
    """Whether every lane is done with something from ``sequence`` on."""
    return bool(text) and all(
        lane.done is not None and int(lane.done) >= int(sequence) for lane in _parsed(text)
    )


def _parsed(text: str) -> list[Lane]:
    try:
        return [_read(each) for each in json.loads(text)["lanes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise WorkerError(
            f"The lease store has a checkpoint that cannot be read ({text[:80]!r}); "
            "delete the mapping's leases, or use another mapping name."
        ) from error


def _written(lane: Lane) -> list[object]:
    row: list[object] = [lane.position, lane.done_arrived]
    if lane.window is not None:
        window = lane.window
        row.append([window.start, window.end, window.state, window.terminated_early])
    return row


def _read(row: list[Any]) -> Lane:
    position, arrived, *windows = row
    if not isinstance(position, str | None) or not isinstance(arrived, int | float):
        raise TypeError(row)
    window = None
    for start, end, state, early in windows:
        window = Window(start, end, state, early)
    return Lane(done=position, done_arrived=arrived, read_to=position, window=window)
