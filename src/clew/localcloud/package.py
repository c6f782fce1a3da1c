"""Builds the zip file of a function: the same bytes for the same sources, with clew inside."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import clew
from clew.localcloud.requirements import installed_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a person runs stays out of the function; what it imports goes in.
OPERATIONS_ROOMS = frozenset({"cli", "delivery", "localcloud", "stories", "testing"})
_NOT_IN_A_FUNCTION = "streams/worker/"  # it stands in for Lambda's mappings, elsewhere

_LEFT_OUT = frozenset({"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".aws-sam"})
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_READABLE, _EXECUTABLE = 0o100644, 0o100755


def function_zip(code: Path, *, with_clew: bool = True) -> bytes:
    """The zip file of a function whose code is in the folder ``code``, or is the file ``code``.

    A ``requirements.txt`` in the folder is honoured: what it asks for and this environment does
    not have is installed (once) and packed in.

    Raises:
        LocalCloudError: The requirements could not be installed.
    """
    if code.is_file():
        return code.read_bytes() if zipfile.is_zipfile(code) else _zip({code.name: code})
    entries: dict[str, Path] = {}
    if with_clew and not (code / "clew").is_dir():
        entries.update(_runtime_entries())
    asked = code / "requirements.txt"
    if with_clew and asked.is_file() and (installed := installed_requirements(asked)):
        entries.update(_entries(installed))
    entries.update(_entries(code))  # the function's own files win
    return _zip(entries)


def folder_zip(folder: Path) -> bytes:
    """The zip file of a folder as it is, for a layer say."""
    return function_zip(folder, with_clew=False)


def _runtime_entries() -> dict[str, Path]:
    root = Path(clew.__file__).parent
    return {
        f"clew/{name}": path
        for name, path in _entries(root).items()
        if name.split("/", 1)[0] not in OPERATIONS_ROOMS and not name.startswith(_NOT_IN_A_FUNCTION)
    }


def _entries(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in _files(root)}


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _LEFT_OUT or path.suffix == ".pyc":
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _zip(entries: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    # Stored, not deflated: it never leaves this machine, and zlib's output differs by version.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(entries.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, wherever it is built
            executable = path.stat().st_mode & 0o100
            info.external_attr = (_EXECUTABLE if executable else _READABLE) << 16
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()
