"""The store: lines go in, and are found again."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from clew.stories.lines import RawLine
from clew.stories.store import prune as pruning
from clew.stories.store import reading, search
from clew.stories.store.batch import Known, prepare
from clew.stories.store.errors import StoreError, said
from clew.stories.store.lock import WriterLock
from clew.stories.store.schema import in_one, open_to_read, open_to_write
from clew.stories.store.stats import Stats, damage, stats_of
from clew.stories.store.writing import parts, read_known, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from sqlite3 import Connection
    from types import TracebackType

    from clew.stories.store.batch import Entry, Keyed
    from clew.stories.store.search import Page, Query

T = TypeVar("T")

#: Lines, and characters, of one transaction.
_LINES = 10_000
_SIZE = 32 << 20
#: While lines are stored. Python's own 5 ms, each time, are as long as all the writing takes.
_SWITCH_S = 0.0002


class Added(NamedTuple):
    """What came of lines that were added."""

    stored: int
    #: Those that the store had already.
    repeated: int


class Store:
    """Log lines in a file, on which stories are rebuilt; one writer and any number of readers.

    It is a `clew.stories.source.Source`. Its methods may be called from any thread.

    Args:
        path: The file. With ``write``, it is made if there is none.
        write: Whether to add and prune.
        durable: Whether a line that was acknowledged outlasts a power loss; that it outlasts the
            end of the process, however that comes, is so in any case.

    Raises:
        StoreError: It cannot be used, with the reason.
    """

    def __init__(self, path: str | Path, *, write: bool = False, durable: bool = False) -> None:
        self.path = Path(path)
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._lock: WriterLock | None = None
        self._known: Known | None = None
        self._writer = None
        if write:
            if not self.path.parent.is_dir():
                message = (
                    f"There is no folder {self.path.parent} to make a store in; make it first."
                )
                raise StoreError(message)
            self._lock = WriterLock(self.path)
            try:
                self._writer = open_to_write(self.path, durable=durable)
            except BaseException:
                self._lock.free()
                raise
        self._reader = open_to_read(self.path)

    @property
    def name(self) -> str:
        """What was searched, for a sentence."""
        return f"the store {self.path}"

    def add(
        self,
        entries: Iterable[Entry | RawLine | Keyed],
        committed: Callable[[Added], object] | None = None,
    ) -> Added:
        """Store lines; returns when all of them are committed.

        A line that is there already is not stored again: one with the same event id, or else with
        the same log group, stream, time and text. (The same text several times in one call, in the
        same millisecond, is several lines.)

        Args:
            entries: Read as they are needed.
            committed: Called after every transaction with the sums so far.

        Raises:
            StoreError: They could not be stored. Those that were committed before are.
        """
        total = Added(0, 0)
        with self._writing, said(self.path, "take lines"):
            connection = self._for_writing()
            known = self._known = self._known or read_known(connection)
            try:
                # While one part is written, which takes a core, the next one is prepared.
                with _switching_often(), ThreadPoolExecutor(1, "clew-store") as pool:
                    writing = None
                    for part in parts(entries, _LINES, _SIZE):
                        with _without_collections():
                            batch = prepare(part, known)
                        if writing is not None:
                            total = _sum(total, writing.result(), committed)
                        writing = pool.submit(write, connection, batch)
                    if writing is not None:
                        total = _sum(total, writing.result(), committed)
            except BaseException:
                self._known = None  # it may know of what was not stored
                raise
        return total

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines that have ``text`` among their ids, or in their text; all lines if it is None.

        An id may be given in part, from its beginning.
        """
        if text is None:
            for entry in self.entries(since, until):
                yield RawLine(*entry[:4])
            return
        with said(self.path, "be read"):
            yield from self._read(lambda one: reading.lines(one, text, since, until))

    def recent_ids(self, since: datetime | None = None) -> dict[str, int]:
        """Ids of requests in the newest lines, each with the time (ms) of its last line."""
        with said(self.path, "be read"):
            return self._read(lambda one: reading.recent_ids(one, since))

    def search(self, query: Query) -> Page:
        """A page of the lines that a query asks for, newest first, with counts of them all."""
        with said(self.path, "be read"):
            return self._read(lambda one: search.search(one, query))

    def entries(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Keyed]:
        """Every line, oldest first, as another store takes it. Reads as it goes."""
        connection = open_to_read(self.path)  # whatever happens meanwhile, it sees one state
        try:
            with said(self.path, "be read"), in_one(connection, "DEFERRED"):
                yield from reading.entries(connection, since, until)
        finally:
            connection.close()

    def prune(self, *, older_than: datetime | None = None, larger_than: int | None = None) -> int:
        """Delete the oldest lines; how many. Other writers and readers are not held up for long.

        Args:
            older_than: An aware time; older lines go.
            larger_than: Bytes that the file has at most; the oldest lines go until it has.

        Raises:
            StoreError: It could not. What was deleted before is.
        """
        with self._writing, said(self.path, "be pruned"):
            connection = self._for_writing()
            self._known = None
            return pruning.prune(connection, older_than, larger_than)

    def stats(self) -> Stats:
        """How much is in it."""
        with said(self.path, "be read"):
            return self._read(lambda one: stats_of(one, self.path))

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file and the index of its words; reads all of it."""
        with self._writing, said(self.path, "be checked"):
            return damage(self._for_writing())

    def close(self) -> None:
        """Let go of the file."""
        with self._writing, self._reading:
            self._reader.close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock is not None:
                self._lock.free()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _for_writing(self) -> Any:
        if self._writer is None:
            message = f"{self.path} was opened to read; open it with write=True."
            raise StoreError(message)
        return self._writer

    def _read(self, what: Callable[[Connection], T]) -> T:
        with self._reading, in_one(self._reader, "DEFERRED"):
            return what(self._reader)


@contextlib.contextmanager
def _switching_often() -> Iterator[None]:
    """Whoever writes waits less for Python's lock, which it wants some 60 times a part."""
    was = sys.getswitchinterval()
    sys.setswitchinterval(min(was, _SWITCH_S))
    try:
        yield
    finally:
        sys.setswitchinterval(was)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """No search for circles of objects meanwhile: thousands of rows are none, and it takes long."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _sum(total: Added, one: tuple[int, int], committed: Callable[[Added], object] | None) -> Added:
    total = Added(total.stored + one[0], total.repeated + one[1])
    if committed is not None:
        committed(total)
    return total
