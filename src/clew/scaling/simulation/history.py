"""What a stream was asked for in the past, from a file: checked, and told where it is wrong.

What was accepted and what was refused are added up: a full stream accepts no more than its shards
hold, whatever was sent to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.simulation.trace import Trace, from_values
from clew.scaling.words import count, duration
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Series = NDArray[np.float64]

#: A time may be off its even step by that part of it.
_OFF = 0.25
_SHORTEST_S = 59
#: Longer files than this are none of a stream's load.
_MOST_STEPS = 2_000_000


@dataclass(frozen=True)
class Points:
    """Sums of even steps, as they were found. ``columns`` are of what :data:`KINDS` names.

    ``where`` says of a step, by number, where it stands: for messages.
    """

    times: Series  # seconds since the epoch
    columns: dict[str, Series]
    where: Callable[[int], str]
    notes: tuple[str, ...] = ()
    step_s: float | None = None  # None: as the times show


#: What a column can hold: sums of each step (``value``: of something whose size is not known).
KINDS = ("bytes", "records", "refused", "value")


@dataclass(frozen=True)
class History:
    """A trace, where it is from, and what is to be known of it before it is believed."""

    trace: Trace
    source: str
    step_s: float = 60.0
    missing: int = 0  # steps that were not there, and count as nothing put
    refused: float = 0.0  # records, in all attempts
    sized: bool = True  # False: a shape only, whose size has to be said
    notes: tuple[str, ...] = ()

    def with_notes(self, more: tuple[str, ...]) -> History:
        """The same with more to be known of it."""
        return replace(self, notes=more + self.notes)

    def scaled(self, peak_shards: float | None) -> Trace:
        """The trace, so that its highest minute needs so many shards.

        Raises:
            ScalingError: It has to be said, and was not, since the file does not say it.
        """
        if peak_shards is not None:
            return self.trace.scaled(peak_shards)
        if not self.sized:
            raise ScalingError(
                f"{self.source} has neither a column of bytes nor one of records, so its size is"
                " not known: name the column, or say with --peak-shards how many shards its"
                " highest minute needs."
            )
        return self.trace


def from_file(
    path: str | Path, *, record_bytes: float = 1024, seed: int = 7, name: str = ""
) -> History:
    """A history from CSV (also as the CloudWatch console saves it) or GetMetricData's JSON.

    ``record_bytes`` is the size of a record where the file has only one of bytes and records;
    ``seed`` is that of the minutes inside longer steps.

    Raises:
        ScalingError: It cannot be used; the sentence names the file and the line.
    """
    from clew.scaling.simulation.history_csv import points_of_csv
    from clew.scaling.simulation.history_json import points_of_json

    where = Path(path)
    source = visible(str(where))
    try:
        text = where.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScalingError(f"{source} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ScalingError(
            f"{source} is no text (byte {error.start + 1}); give CSV or JSON in UTF-8."
        ) from error
    if not text.strip():
        raise ScalingError(f"{source} is empty; give a row for each minute.")
    is_json = text.lstrip()[:1] in "{["
    points = points_of_json(text, source) if is_json else points_of_csv(text, source)
    return of_points(points, source, name or where.stem, record_bytes=record_bytes, seed=seed)


def with_hot_key(trace: Trace, share: float) -> Trace:
    """The same load, but for one partition key that has that part of it all the time."""
    if not share:
        return trace
    return replace(trace, hot_key=np.full(len(trace), share))


def of_points(
    points: Points, source: str, name: str, *, record_bytes: float = 1024, seed: int = 7
) -> History:
    """The history that some points make.

    Raises:
        ScalingError: They are too few, or their times are no even steps.
    """
    step, at, index = _steps(points, source)
    columns = {}
    for kind, values in points.columns.items():
        even = np.zeros(at)
        even[index] = values
        columns[kind] = even
    if not any(float(values.sum()) for values in columns.values()):
        raise ScalingError(f"{source} has no load at all: every value is 0.")
    missing = at - len(index)
    notes = list(points.notes)
    if missing:
        part = missing / at
        notes.append(
            f"{count(missing, 'step')} of {at:,} ({part:.1%}) are missing and count as nothing put."
        )
    if step > 60:
        notes.append(
            f"Its steps are {duration(step)} long: the minutes inside them are made up (even, with"
            " a seeded noise), so bursts of a minute are not in it."
        )
    refused = float(columns["refused"].sum()) if "refused" in columns else 0.0
    if refused:
        notes.append(
            f"{refused:,.0f} records were refused, and are added to what was accepted. A record"
            " that was tried several times counts as often, so the demand is rather too high."
        )
    start = float(points.times[0])

    def trace_of(sums: Series) -> Trace:
        return from_values(sums, step, start_s=start, name=name, record_bytes=1, seed=seed)

    trace = _trace(columns, trace_of, step, record_bytes)
    return History(trace, source, step, missing, refused, "value" not in columns, tuple(notes))


def _trace(
    columns: dict[str, Series],
    trace_of: Callable[[Series], Trace],
    step: float,
    record_bytes: float,
) -> Trace:
    if "value" in columns:
        shape = trace_of(columns["value"])
        records = shape.records_per_s / step
        return replace(shape, records_per_s=records, bytes_per_s=records * record_bytes)
    sums, each = _records(columns, record_bytes)
    minutes = trace_of(sums)
    in_records = minutes.records_per_s / step
    sizes = np.repeat(each, len(minutes) // len(each))
    return replace(minutes, records_per_s=in_records, bytes_per_s=in_records * sizes)


def _records(columns: dict[str, Series], record_bytes: float) -> tuple[Series, Series]:
    """The records of each step, and the bytes of each of them."""
    if "bytes" in columns:
        size = columns["bytes"]
        records = columns.get("records", size / record_bytes)
    else:
        records = columns["records"]
        size = records * record_bytes
    # Bytes without records are no mistake of the file's: a minute may be cut off between the two.
    records = np.where((records == 0) & (size > 0), size / record_bytes, records)
    usual = float(size.sum() / records.sum()) if records.sum() else record_bytes
    each = np.divide(size, records, out=np.full(len(size), usual), where=records > 0)
    refused = columns.get("refused")
    # Those that were refused are as large as those that were accepted in that step.
    return (records if refused is None else records + refused), each


def _steps(points: Points, source: str) -> tuple[float, int, NDArray[np.int64]]:
    """The length of a step, how many there are, and which of them each point is."""
    times = points.times
    if len(times) < 2:
        raise ScalingError(f"{source} has {count(len(times), 'step')}; give at least an hour.")
    between = np.diff(times)
    if (between <= 0).any():
        at = int(np.argmax(between <= 0)) + 1
        same = between[at - 1] == 0
        said = "has the same time as" if same else "is of a time before that of"
        raise ScalingError(
            f"{points.where(at)} {said} {points.where(at - 1).rpartition(', ')[2]};"
            " put the rows in the order of time, each time once."
        )
    step = points.step_s
    if step is None:
        usual = float(np.median(between))
        if usual < _SHORTEST_S:
            raise ScalingError(
                f"{source} has steps of {usual:g} s; give the sums of whole minutes, which is what"
                " CloudWatch has of a stream."
            )
        # The shortest, since any number of steps may be missing between two rows.
        step = 60.0 * round(float(between[between >= _SHORTEST_S].min()) / 60)
    exact = (times - times[0]) / step
    index = np.rint(exact).astype(np.int64)
    off = np.abs(exact - index) > _OFF
    again = np.concatenate([[False], np.diff(index) == 0])
    if (off | again).any():
        at = int(np.argmax(off | again))
        raise ScalingError(
            f"{points.where(at)} is not a whole number of steps of {duration(step)} after the"
            " first; give even steps."
        )
    steps = int(index[-1]) + 1
    if steps * step < 3600:
        raise ScalingError(
            f"{source} has {duration(steps * step)} of load; give at least an hour of it."
        )
    if steps * step > 60 * _MOST_STEPS:
        raise ScalingError(
            f"{source} is of {steps * step / 86_400:,.0f} days; give less than"
            f" {60 * _MOST_STEPS / 86_400:,.0f}."
        )
    return step, steps, index
