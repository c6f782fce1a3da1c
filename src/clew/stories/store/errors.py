"""What keeps a store from being used, in one sentence each."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from clew.errors import ClewError
from clew.stories.store.blocks import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreError(ClewError):
    """The store cannot be used."""


class StoreBusyError(StoreError):
    """Somebody else writes to the store."""


@contextlib.contextmanager
def said(path: Path, what: str) -> Iterator[None]:
    """Errors of SQLite as a `StoreError` that says what could not ``what`` and why."""
    try:
        yield
    except (sqlite3.Error, DamagedError) as error:
        code = getattr(error, "sqlite_errorname", "") or ""
        raise StoreError(_sentence(path, what, code, error)) from error


def _sentence(path: Path, what: str, code: str, error: Exception) -> str:  # noqa: PLR0911
    if code.startswith("SQLITE_NOTADB"):
        return f"{path} is no store of log lines; name one, or a file that is not there yet."
    if code.startswith("SQLITE_CORRUPT") or isinstance(error, DamagedError):
        return (
            f"{path} is damaged; save what can be read with `clew store export`, and import it "
            "into a new store."
        )
    if code.startswith("SQLITE_FULL"):
        return (
            f"{path} cannot {what}: the disk is full; make room, or `clew store prune`, and do it "
            "again (what was acknowledged is stored)."
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"{path} cannot {what}; see that the file and its folder allow it."
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{path} is in use by somebody else; wait for them to end, and do it again."
    if code.startswith("SQLITE_IOERR"):
        return f"{path} cannot {what}: the disk does not do what it should ({error})."
    return f"{path} cannot {what}: {error}."
