"""The columns of an ``invocation`` line as the entries that they stand for. Pure.

See docs/reference/log-line.md. As all of a log they are untrusted: what does not fit is left out.
"""

from __future__ import annotations

from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, TypeGuard

from clew import wire
from clew.capture.record import span_after
from clew.stories.lines import ReceivedEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.lines import LogLine

#: Lambda takes 10,000 records at once ("Lambda quotas", event source mappings); of those that
#: were put together more may come.
MAX_PLACE = 1_000_000
#: Kinesis takes 500 records in a call, as Firehose does; whoever says more is not believed.
MAX_COUNT = 10_000


def read_columns(group: dict[str, Any], line: LogLine) -> list[ReceivedEntry]:
    """The entries of one of the ``done`` objects of ``line``."""
    microseconds = _column(group, "microseconds")
    rows = zip(
        islice(_places(group.get("places")), len(microseconds)),
        microseconds,
        _column(group, "sequenceNumbers"),
        _column(group, "ids") if "ids" in group else repeat(None),
        _column(group, "traceparents") if "traceparents" in group else repeat(None),
        strict=False,
    )
    first, shard_id, own_id = _span(group.get("span")), group.get("shardId"), group.get("id")
    return [
        _entry(
            span="" if first is None else span_after(first, place),
            id_=f"{own_id}-{place}" if came is None and isinstance(own_id, str) else came,
            traceparent=traceparent,
            microseconds=taken,
            position={"shardId": shard_id, "sequenceNumber": number},
            line=line,
        )
        for place, taken, number, came, traceparent in rows
    ]


def one_by_one(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of ``sent`` that one with a ``count`` stands for."""
    first, count = _span(entry.get("span")), entry["count"]
    if first is None or not _is_whole(count, MAX_COUNT):
        return
    columns = {
        name[:-1]: column
        for name, column in entry.items()
        if name.endswith("s") and isinstance(column, list) and len(column) == count
    }
    for number in range(count):
        own = {name: column[number] for name, column in columns.items()}
        yield {**entry, "span": span_after(first, number), **own}


def _entry(
    *,
    span: str,
    id_: object,
    traceparent: object,
    microseconds: object,
    position: dict[str, object],
    line: LogLine,
) -> ReceivedEntry:
    header = traceparent if isinstance(traceparent, str) else ""
    trace, parent, _ = wire.parse_traceparent(header) or ("", "", "")
    return ReceivedEntry(
        span=span,
        parent=parent,
        trace=trace,
        id=id_ if isinstance(id_, str) and wire.is_value(id_) else line.id,
        outcome="done",
        attempts=1,
        ms=microseconds / 1000 if _is_whole(microseconds, 10**12) else None,
        position={
            name: value for name, value in position.items() if isinstance(value, str) and value
        },
        error="",
    )


def _places(runs: object) -> Iterator[int]:
    """The places that runs name, each with its first and how many there are."""
    for run in runs if isinstance(runs, list) else ():
        match run:
            case [first, count] if _is_whole(first, MAX_PLACE) and _is_whole(count, MAX_PLACE):
                yield from range(first, first + count)
            case _:
                return  # whose the rows after it are is not known


def _column(group: dict[str, Any], name: str) -> list[Any]:
    found = group.get(name)
    return found if isinstance(found, list) else []


def _span(value: object) -> int | None:
    """The number that a span id is."""
    if not isinstance(value, str) or wire.parse_traceparent(f"00-{'1' * 32}-{value}-01") is None:
        return None
    return int(value, 16)


def _is_whole(value: object, below: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < below
