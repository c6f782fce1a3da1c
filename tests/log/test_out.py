"""Lines come out whole, from any thread, and a reader that stands still holds up nobody long."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.log import out
from clew.log.internal import _said
from clew.log.out import MAX_HELD, PIECE, write

from .lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Until

SRC = Path(clew.__file__).parents[1]


class Stdout:
    """sys.stdout, and its other end, which reads only when it is asked to."""

    def __init__(self, reader: int, writer: int) -> None:
        self.reader = reader
        self.writer = writer
        self.stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(writer, "w")), encoding="utf-8")

    def read(self, size: int) -> bytes:
        """Wait for so many bytes."""
        data = b""
        while len(data) < size:
            data += os.read(self.reader, size - len(data))
        return data

    def read_rest(self) -> bytes:
        """What waits to be read."""
        os.set_blocking(self.reader, False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                data += os.read(self.reader, 1 << 16)
        os.set_blocking(self.reader, True)
        return data

    def read_held(self, until: Callable[[bytes], bool]) -> bytes:
        """Read, and let be written what is held, until what was read is enough."""
        data = self.read_rest()
        while not until(data):
            write("")
            data += self.read_rest()
        return data

    def fill(self) -> int:
        """Fill it up; how many bytes it took."""
        os.set_blocking(self.writer, False)
        size = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                size += os.write(self.writer, b"." * 100)
        os.set_blocking(self.writer, True)
        return size

    def close_reader(self) -> None:
        os.close(self.reader)
        self.reader = -1


@pytest.fixture(params=["pipe", "socket"])
def stdout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stdout]:
    """What Lambda may have: a pipe, or a socket."""
    if request.param == "pipe":
        reader, writer = os.pipe()
    else:
        reader, writer = (end.detach() for end in socket.socketpair())
    made = Stdout(reader, writer)
    # Short, as it is waited for in full where the reader stands still.
    monkeypatch.setattr(out, "PATIENCE_S", 0.1)
    _said.clear()
    yield made
    monkeypatch.undo()
    for fd in (made.reader, made.writer):
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)
    with contextlib.suppress(OSError):
        made.stream.detach().detach().close()


def in_place(test: Callable[..., None]) -> Callable[..., None]:
    """With ``stdout`` as sys.stdout: pytest puts its own there after the fixtures are made."""

    @functools.wraps(test)
    def wrapped(stdout: Stdout, **others: Any) -> None:
        with contextlib.redirect_stdout(stdout.stream):
            test(stdout=stdout, **others)

    return wrapped


def text(number: int, size: int = 200) -> str:
    return f"{number}:".ljust(size - 1, "x") + "\n"


@in_place
def test_a_line_is_one_write(stdout: Stdout, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    plain = os.write

    def counted(fd: int, data: bytes) -> int:
        writes.append(len(data))
        return plain(fd, data)

    monkeypatch.setattr(os, "write", counted)
    for size in (10, PIECE, 40_000):
        write(text(1, size))
        stdout.read(size)
    if writes[2:] != [40_000]:
        assert set(writes[2:]) == {PIECE, 40_000 % PIECE}, "a socket does not say what it takes"
    assert writes[:2] == [10, PIECE]


@in_place
def test_prints_stay_where_they_were_made(stdout: Stdout) -> None:
    print("one")
    write("two\n")
    print("three", end="")
    write(f"{'four' * 2_000}\n")
    print("five", flush=True)
    assert stdout.read_rest().decode() == f"one\ntwo\nthree{'four' * 2_000}\nfive\n"


@in_place
def test_who_logs_is_held_up_once_and_no_line_is_lost(stdout: Stdout) -> None:
    filled = stdout.fill()
    for number in range(1_000):  # would take 100 s, each with the patience for one
        write(text(number))
    written = b"." * filled + "".join(text(number) for number in range(1_001)).encode()
    begun = stdout.read_rest()
    write(text(1_000))
    rest = stdout.read_held(lambda rest: len(begun + rest) >= len(written))
    assert begun + rest == written


@in_place
def test_a_long_line_goes_on_where_it_stopped(stdout: Stdout) -> None:
    line = text(1, 900_000)
    write(line)
    begun = stdout.read_rest()
    assert 0 < len(begun) < len(line)
    write(text(2))
    rest = stdout.read_held(lambda data: data.endswith(text(2).encode()))
    assert (begun + rest).decode() == line + text(2)


@in_place
def test_what_there_is_no_room_for_is_counted(stdout: Stdout) -> None:
    filled = stdout.fill()
    for number in range(MAX_HELD // 10_000 + 25):
        write(text(number, 10_000))
    write("last\n")  # there would be room for this one, but it would be out of order
    read = stdout.read_held(lambda data: b'"dropped"' in data)[filled:]
    *kept, report = read.decode().splitlines(keepends=True)
    assert kept == [text(number, 10_000) for number in range(100)]
    (line,) = read_lines(report)
    assert line["level"] == "WARNING"
    assert line["dropped"] == 26
    write("after\n")
    assert stdout.read_rest() == b"after\n"


@in_place
def test_nobody_reads_any_more(stdout: Stdout) -> None:
    stdout.fill()
    write(text(1))
    stdout.close_reader()
    for number in range(100):
        write(text(number, 100_000))
        clew.get_logger("tests.out").error("nothing is raised")


def test_a_closed_stdout_reaches_nobody() -> None:
    log = clew.get_logger("tests.out")
    reader, writer = os.pipe()
    with io.TextIOWrapper(io.FileIO(writer, "w")) as stream, contextlib.redirect_stdout(stream):
        os.close(reader)
        log.info("nobody reads")
        stream.close()
        log.info("nothing is raised")
        log.error("nor here", exc_info=KeyError("a"))


@in_place
def test_a_stdout_that_was_made_non_blocking_loses_nothing(stdout: Stdout) -> None:
    os.set_blocking(stdout.writer, False)
    expected = b""
    read = b""
    for number in range(60):
        write(text(number, 5_000))
        expected += text(number, 5_000).encode()
        if number % 10 == 0:
            read += stdout.read_rest()
    read += stdout.read_held(lambda data: len(read) + len(data) >= len(expected))
    assert read == expected


@in_place
def test_a_signal_handler_that_logs_within_a_line_waits_for_its_end(stdout: Stdout) -> None:
    filled = stdout.fill()

    def handler(*_: object) -> None:
        write("from the handler\n")
        stdout.read(filled)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        write(text(1, 5_000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    write("")
    assert stdout.read_rest().decode() == text(1, 5_000) + "from the handler\n"


THREADS = """
import sys, threading, clew
log = clew.get_logger("app")
sizes = [10, 3_000, 4_096, 5_000, 50_000]

def work(thread):
    for number in range(40):
        size = sizes[(thread + number) % len(sizes)]
        text = chr(ord("a") + thread) * size
        log.info(text, extra={"worker": thread, "number": number})

threads = [threading.Thread(target=work, args=(thread,)) for thread in range(16)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


@pytest.mark.parametrize("kind", ["plain", "unbuffered", "as in Lambda"])
def test_sixteen_threads_and_a_pipe(kind: str) -> None:
    program = THREADS
    if kind == "as in Lambda":
        bootstrap = "import sys; from awslambdaric.bootstrap import Unbuffered\n"
        program = f"{bootstrap}sys.stdout = Unbuffered(sys.stdout)\n{THREADS}"
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    if kind == "unbuffered":
        environment["PYTHONUNBUFFERED"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**environment, "PYTHONPATH": str(SRC)},
    )
    try:
        assert process.stdout is not None
        data = process.stdout.read()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdout.close()  # type: ignore[union-attr]
    lines = read_lines(data.decode())
    assert len(lines) == 16 * 40
    assert all(len(set(line["message"])) == 1 for line in lines)
    for thread in range(16):
        numbers = [line["number"] for line in lines if line["worker"] == thread]
        assert numbers == list(range(40)), "each thread's lines are in its own order"


@in_place
def test_threads_are_held_up_together_not_one_after_the_other(stdout: Stdout, until: Until) -> None:
    filled = stdout.fill()
    threads = [threading.Thread(target=write, args=(text(n),)) for n in range(50)]
    for one in threads:
        one.start()
    until(lambda: not any(one.is_alive() for one in threads), "none waits", timeout_s=4)
    size = filled + sum(len(text(n)) for n in range(50))
    data = stdout.read_held(lambda data: len(data) >= size)
    lines = data[filled:].decode().splitlines(keepends=True)
    assert sorted(lines) == sorted(text(n) for n in range(50))


def test_another_stdout_is_written_to_as_it_wishes(tmp_path: Path) -> None:
    class Own(io.StringIO):
        written: list[str]

        def write(self, line: str) -> int:
            self.written = [*getattr(self, "written", []), line]
            return len(line)

    own = Own()
    with contextlib.redirect_stdout(own):
        write("a\n")
        write("b\n")
    assert own.written == ["a\n", "b\n"]
    with (tmp_path / "file").open("w", encoding="utf-8") as file:
        with contextlib.redirect_stdout(file):
            write("c\n")
        assert (tmp_path / "file").read_text() == "c\n"
    with contextlib.redirect_stdout(None):
        write("nowhere\n")


def test_the_users_prints_are_left_alone() -> None:
    program = """
import clew
log = clew.get_logger("app")
@clew.handler
def handler(event, context):
    print("a plain text\\twith \\x1b[31mcolour", flush=True)
    print({"a": 1}, flush=True)
handler({}, None)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )
    plain, literal, wide = done.stdout.decode().splitlines()
    assert plain == "a plain text\twith \x1b[31mcolour"
    assert literal == "{'a': 1}"
    line: dict[str, Any] = json.loads(wide)
    assert line["message"] == "invocation"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@in_place
def test_a_child_that_is_forked_does_not_write_what_the_parent_holds(stdout: Stdout) -> None:
    filled = stdout.fill()
    write(text(1))
    pipe = out._last[0][1]
    assert pipe is not None
    with pipe._lock:  # as if another thread were writing
        child = os.fork()
        if child == 0:
            os._exit(0 if out._last[0] == (None, None) else 1)
    assert os.waitpid(child, 0)[1] == 0
    data = stdout.read_held(lambda data: len(data) > filled)
    assert data[filled:].decode() == text(1)
