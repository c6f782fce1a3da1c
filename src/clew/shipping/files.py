"""Lines from files to a sink: for what was written before there was a subscription."""

from __future__ import annotations

from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING

from clew.shipping.lines import Line, Origin
from clew.shipping.parse import MAX_MS, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.stories.store import Entry, Keyed

#: Lines of one stream that are parsed together.
_CHUNK = 10_000


def lines_from(entries: Iterable[Entry | Keyed]) -> Iterator[Line]:
    """Lines of what a file holds, see `clew.stories.store.files.read_stream`.

    A line that has no event id gets one of its place and text, so that a sink which knows ids
    keeps it once however often it is shipped.
    """
    for (group, stream), of_stream in groupby(entries, lambda entry: (entry[1], entry[2])):
        origin = Origin(group, stream)
        events: list[tuple[int, str, str]] = []
        repeats: dict[str, int] = {}
        for entry in of_stream:
            at_ms = min(max(entry.at_ms, 0), MAX_MS)
            events.append((at_ms, entry.message, _id_of(entry, at_ms, repeats)))
            if len(events) >= _CHUNK:
                yield from read_events(origin, events)
                events = []
        yield from read_events(origin, events)


def _id_of(entry: Entry | Keyed, at_ms: int, repeats: dict[str, int]) -> str:
    named = entry[4] if len(entry) > 4 else ""
    if isinstance(named, bytes):
        return named.hex()
    if named:
        return named
    told = f"{entry[1]}\0{entry[2]}\0{at_ms}\0{entry[3]}".encode("utf-8", "replace")
    digest = blake2b(told, digest_size=16).hexdigest()
    again = repeats[digest] = repeats.get(digest, 0) + 1
    # The same text in the same millisecond again is another line.
    return digest if again == 1 else f"{digest}-{again}"
