"""Log lines from files, standard input and S3, as `clew store import` reads them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from clew.stories.lines import RawLine
from clew.stories.store.files import NO_GROUP, read_file, read_stream
from clew.stories.store.s3 import SCHEME, address, read_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from clew.stories.store import Entry, Keyed

STDIN = "-"


class FilesSource:
    """Every line of some files; they are read each time, but for standard input.

    Args:
        names: Paths, ``-`` for standard input, and ``s3://BUCKET/PREFIX``.
        stdin: Standard input.
        s3: Makes a boto3 client of S3, if it is needed.
        read: Told how many more bytes were read.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        stdin: IO[bytes],
        s3: Callable[[], Any],
        read: Callable[[int], object] | None = None,
    ) -> None:
        self._names = names
        self._stdin = stdin
        self._s3 = s3
        self._read = read
        self._typed: list[RawLine] | None = None

    @property
    def name(self) -> str:
        """What was searched."""
        shown = ["standard input" if one == STDIN else one for one in self._names]
        return shown[0] if len(shown) == 1 else f"{shown[0]} and {len(shown) - 1} more"

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with ``text`` in them, or all.

        Raises:
            StoreError: One cannot be read.
        """
        first = 0 if since is None else int(since.timestamp() * 1000)
        last = None if until is None else int(until.timestamp() * 1000)
        # In JSON, all that is not plain may be written in another way.
        plain = text if text is not None and text.isascii() and text.isprintable() else None
        if plain is not None and ('"' in plain or "\\" in plain):
            plain = None
        for name in self._names:
            for line in self._lines(name):
                if (
                    line.at_ms >= first
                    and (last is None or line.at_ms <= last)
                    and (plain is None or plain in line.message)
                ):
                    yield line

    def _lines(self, name: str) -> Iterator[RawLine]:
        if name == STDIN:
            if self._typed is None:  # it comes once
                now_ms = int(time.time() * 1000)
                found = read_stream(self._stdin, "stdin", NO_GROUP, now_ms, self._read)
                self._typed = [_raw(one) for one in found]
            yield from self._typed
        elif name.startswith(SCHEME):
            yield from map(_raw, read_prefix(self._s3(), address(name), NO_GROUP, self._read))
        else:
            yield from map(_raw, read_file(Path(name), NO_GROUP, self._read))


def _raw(line: Entry | Keyed) -> RawLine:
    return RawLine(*line[:4])
