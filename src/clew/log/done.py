"""Records of a batch that were simply done, in columns for the ``invocation`` line.

An entry for each of a thousand would be most of what clew does, and most of what it logs. See
docs/reference/log-line.md.
"""

from __future__ import annotations

from clew.capture.record import span_after
from clew.capture.several import let_go
from clew.capture.several import rows as rows_of
from clew.log.encode import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from clew.capture.as_came import Told
    from clew.capture.record import Arrival, Record
    from clew.capture.several import Rows

#: Records that are looked at together: where one is special, no more than these are taken singly.
_TOGETHER = 64
#: Characters of one group of columns, on average: even with the longest ids of all it fits a line.
_GROUP = 40_000


class Done:
    """The columns of one batch: of records with ids that came with them, and of those without."""

    __slots__ = ("_arrival", "_came", "_fresh", "_hopeless", "_shard_id")

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._came = _Columns()
        self._fresh = _Columns()
        self._shard_id = ""
        self._hopeless = False

    def __len__(self) -> int:
        return len(self._came) + len(self._fresh)

    def note(self, records: list[Record], told: Told | None = None) -> None:
        """Take in ``records``, but for those of which there is more to say than fits.

        ``told`` is what `open_ahead` gave for these. What was decoded of them is let go: nothing
        of clew's asks for it again.
        """
        done = [one for one in records if one.outcome == "done" and one.attempts == 1]
        if told is not None and len(done) == len(told.ids):
            self._take(done, told)
        else:
            for first in range(0, len(done), _TOGETHER):
                self._take(done[first : first + _TOGETHER], None)

    def others(self, records: list[Any]) -> list[Any]:
        """Those of the whole batch that are not in the columns, or of which they are not true now.

        A record may be said to have failed after its turn.
        """
        if len(self) == len(records):
            return [one for one in records if one.outcome != "done"]
        places = {*_places(self._came.runs), *_places(self._fresh.runs)}
        return [one for one in records if one.place not in places or one.outcome != "done"]

    def groups(self) -> Iterator[str]:
        """The JSON objects that hold the columns, each short enough for a line."""
        first = span_after(self._arrival.first_span, 0)
        head = f'"span":"{first}","shardId":{quote(self._shard_id)}'
        if self._came.runs:
            yield from self._came.texts(head)
        if self._fresh.runs:
            yield from self._fresh.texts(f'{head},"id":{quote(self._arrival.edge_id)}')

    def _take(self, records: list[Record], told: Told | None) -> None:
        if self._hopeless or not records:
            return
        rows = rows_of(records, told)
        if rows is not None and rows.shard_id == (self._shard_id or rows.shard_id):
            self._shard_id = rows.shard_id
            (self._fresh if rows.told is None else self._came).add(records, rows)
            let_go(records)
        elif len(records) > 1:
            before = len(self)
            for one in records:
                self._take([one], None)
            # One source sends in one way: where it is another for all, nothing more is tried.
            self._hopeless = len(self) == before


class _Columns:
    """Columns of one length. All text in them stands in JSON as it is."""

    __slots__ = ("_ids", "_microseconds", "_sequence_numbers", "_traceparents", "runs")

    def __init__(self) -> None:
        #: The places in the batch that the rows are of, as (first, how many).
        self.runs: list[tuple[int, int]] = []
        self._ids: list[str] = []
        self._traceparents: list[str] = []
        self._microseconds: list[int] = []
        self._sequence_numbers: list[str] = []

    def __len__(self) -> int:
        return sum([count for _, count in self.runs])

    def add(self, records: list[Record], rows: Rows) -> None:
        if rows.told is not None:
            self._ids += rows.told.ids
            self._traceparents += rows.told.traceparents
        self._sequence_numbers += rows.sequence_numbers
        self._microseconds += [int(one.ms * 1000) for one in records]
        # Last, since another thread may write what there is when the time is nearly up.
        _extend(self.runs, [one.place for one in records])

    def texts(self, head: str) -> Iterator[str]:
        count = len(self)
        columns = (self._ids, self._traceparents, self._sequence_numbers)
        parts = sum([len("".join(column)) for column in columns]) // _GROUP + 1
        if parts == 1:
            yield self._text(head, self.runs, 0, count)
            return
        places = [*_places(self.runs)]
        each = -(-count // parts)
        for first in range(0, count, each):
            runs: list[tuple[int, int]] = []
            _extend(runs, places[first : first + each])
            yield self._text(head, runs, first, first + each)

    def _text(self, head: str, runs: list[tuple[int, int]], first: int, last: int) -> str:
        members = [
            head,
            f'"places":[{",".join([f"[{place},{count}]" for place, count in runs])}]',
            f'"microseconds":{str(self._microseconds[first:last]).replace(" ", "")}',
            f'"sequenceNumbers":{_texts(self._sequence_numbers[first:last])}',
        ]
        if self._ids:
            members += [
                f'"ids":{_texts(self._ids[first:last])}',
                f'"traceparents":{_texts(self._traceparents[first:last])}',
            ]
        return f"{{{','.join(members)}}}"


def _extend(runs: list[tuple[int, int]], places: list[int]) -> None:
    """Add ``places``, which rise, to runs of neighbours."""
    if places[-1] - places[0] == len(places) - 1:
        parts = [(places[0], len(places))]
    else:
        parts = [(place, 1) for place in places]
    for first, count in parts:
        if runs and sum(runs[-1]) == first:
            runs[-1] = (runs[-1][0], runs[-1][1] + count)
        else:
            runs.append((first, count))


def _places(runs: list[tuple[int, int]]) -> Iterable[int]:
    return (place for first, count in runs for place in range(first, first + count))


def _texts(column: list[str]) -> str:
    return '["' + '","'.join(column) + '"]'
