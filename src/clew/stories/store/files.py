"""Log lines from files and to files: a JSON object a line, or what Firehose delivers."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

from clew.stories.store.batch import Entry, Keyed
from clew.stories.store.documents import documents
from clew.stories.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

#: What the lines of no log group are said to be of.
NO_GROUP = "imported"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_KEY_DIGITS = 32
_ZSTD_READ = 4_096


def read_file(
    path: Path, group: str = NO_GROUP, read: Callable[[int], object] | None = None
) -> Iterator[Entry | Keyed]:
    """The lines of a file, see `read_stream`.

    Args:
        path: The file.
        group: The log group of lines that name none.
        read: Told how many more bytes of the file were read.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            at_ms = int(path.stat().st_mtime * 1000)
            yield from read_stream(cast("IO[bytes]", file), path.name, group, at_ms, read)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        raise StoreError(message) from error


def read_stream(
    stream: IO[bytes],
    name: str,
    group: str = NO_GROUP,
    at_ms: int = 0,
    read: Callable[[int], object] | None = None,
) -> Iterator[Entry | Keyed]:
    """The log lines in a stream of bytes: plain, gzip (of many parts) or zstd.

    It holds what `write_lines` wrote, or what a subscription of CloudWatch Logs delivers, one
    object after the other with or without line breaks; any other line is a log line itself.

    Args:
        stream: Read as it is needed.
        name: For messages, and for the log stream of lines that name none.
        group: The log group of lines that name none.
        at_ms: The time of lines that say none.
        read: Told how many more bytes were read.

    Raises:
        StoreError: It ends in the middle, or is damaged.
    """
    raw = io.BufferedReader(_Counted(stream, read), 1 << 16)
    try:
        for text, found in documents(_plain(raw, name)):
            yield from _entries(text, found, name, group, at_ms)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"{name} is damaged, or ends in the middle: {error}."
        raise StoreError(message) from error


class _Counted(io.RawIOBase):
    """A stream that says how much was read of it."""

    def __init__(self, stream: IO[bytes], read: Callable[[int], object] | None) -> None:
        self._stream = stream
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer)) or b""
        buffer[: len(data)] = data
        if self._read is not None:
            self._read(len(data))
        return len(data)


def _plain(raw: Any, name: str) -> IO[bytes]:
    begins = raw.peek(4)[:4]
    if begins.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if begins == _ZSTD:
        plain = _Zstd(raw, _zstandard(name))
        return cast("IO[bytes]", io.BufferedReader(plain, 1 << 16))
    return cast("IO[bytes]", raw)


class _Zstd(io.RawIOBase):
    """A zstd stream of one or more frames, whose end in the middle of one is an error."""

    def __init__(self, raw: IO[bytes], zstandard: Any) -> None:
        self._raw = raw
        self._error: type[Exception] = zstandard.ZstdError
        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._frame: Any = None
        self._data = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._data:
            rest = self._frame.unused_data if self._frame is not None and self._frame.eof else b""
            # Of a hostile one, these few become some 100 MB at worst.
            packed = rest or self._raw.read(_ZSTD_READ)
            if not packed:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("the zstd frame is not whole")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = self._new_frame()
            try:
                self._data = memoryview(self._frame.decompress(packed))
            except self._error as error:
                raise EOFError(str(error)) from error
        count = min(len(buffer), len(self._data))
        buffer[:count] = self._data[:count]
        self._data = self._data[count:]
        return count


def _zstandard(name: str) -> Any:
    try:
        import zstandard
    except ImportError as error:
        message = f"{name} is zstd; install what reads it with: pip install 'clew[stories]'."
        raise StoreError(message) from error
    return zstandard


def _entries(text: str, found: Any, name: str, group: str, at_ms: int) -> Iterator[Entry | Keyed]:
    if not isinstance(found, dict):
        if text.strip():
            yield Entry(at_ms, group, name, text.rstrip("\r\n"))
    elif isinstance(found.get("logEvents"), list) and "logGroup" in found:
        if found.get("messageType") != "CONTROL_MESSAGE":  # which only asks whether we are there
            of_group, stream = _text(found, "logGroup"), _text(found, "logStream")
            for event in found["logEvents"]:
                if isinstance(event, dict) and isinstance(event.get("message"), str):
                    at = _whole(event.get("timestamp"), at_ms)
                    yield Entry(at, of_group, stream, event["message"], _text(event, "id"))
    elif isinstance(found.get("message"), str) and "logGroup" in found and "at" in found:
        line = _whole(found["at"], at_ms), _text(found, "logGroup"), _text(found, "stream")
        key = _text(found, "key")
        with contextlib.suppress(ValueError):
            if len(key) == _KEY_DIGITS:
                yield Keyed(*line, found["message"], bytes.fromhex(key))
                return
        yield Entry(*line, found["message"], _text(found, "eventId"))
    else:
        yield Entry(_time(found, at_ms), group, name, text.strip())


def _time(found: dict[str, Any], at_ms: int) -> int:
    from clew.stories.parse import time_ms

    return time_ms(found.get("timestamp"), at_ms)


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _whole(value: object, otherwise: int) -> int:
    return value if type(value) is int else otherwise


def write_lines(lines: Iterable[Keyed], target: IO[bytes]) -> int:
    """Write each line as a JSON object; how many there were."""
    count = 0
    for line in lines:
        said = {
            "at": line.at_ms,
            "logGroup": line.log_group,
            "stream": line.stream,
            "message": line.message,
            "key": line.key.hex(),
        }
        target.write(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        count += 1
    return count


@contextlib.contextmanager
def compressed(target: IO[bytes], how: str) -> Iterator[IO[bytes]]:
    """A stream that compresses what is written, by what a file's name ends with: .gz, .zst."""
    if how == ".gz":
        with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=6, mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    elif how == ".zst":
        with _zstandard("The file").ZstdCompressor().stream_writer(target, closefd=False) as packed:
            yield packed
    else:
        yield target


def write_file(lines: Iterable[Keyed], path: Path) -> int:
    """Write a file as `write_lines` does, whole or not at all; how many lines it has.

    Raises:
        StoreError: It cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        try:
            with (
                part.open("wb") as file,
                compressed(cast("IO[bytes]", file), path.suffix) as target,
            ):
                count = write_lines(lines, target)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}."
        raise StoreError(message) from error
    return count
