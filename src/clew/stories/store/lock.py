"""One writer at a time: a lock that ends with its process, however that ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clew.stories.store.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: SQLite's own lock is all there is
    fcntl = None  # type: ignore[assignment]


class WriterLock:
    """Held from the start until `free`.

    Raises:
        StoreBusyError: Another writer holds it.
        StoreError: The folder takes no file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"{path} cannot be written ({error.strerror}); see that its folder allows it."
            raise StoreError(message) from error
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            message = (
                f"Somebody else writes to {path}, and a store has one writer at a time; "
                "wait for them to end."
            )
            raise StoreBusyError(message) from error

    def free(self) -> None:
        """Let the next one write."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
