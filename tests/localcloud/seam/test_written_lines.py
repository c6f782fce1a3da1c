"""Every line that was written is handed over, in order, once."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from clew.localcloud.seam.written_lines import WrittenLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pipe:
    """A pipe, and what came out of it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.came: list[str] = []
        self.lines = WrittenLines(self.reading, self.came.append)
        os.close(self.reading)  # it reads a copy

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.writing, data) :]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.writing)
    made.lines.catch_up()


def test_what_was_written_is_there_without_waiting(pipe: Pipe) -> None:
    pipe.write("eins\nzwei\n\ndrei ß".encode())
    pipe.lines.catch_up()
    assert pipe.came == ["eins", "zwei", ""]
    pipe.lines.catch_up()
    pipe.write(b" goes on\n")
    pipe.lines.catch_up()
    assert pipe.came == ["eins", "zwei", "", "drei ß goes on"]


def test_nothing_written_is_nothing_to_wait_for(pipe: Pipe) -> None:
    pipe.lines.catch_up()
    assert pipe.came == []


def test_more_than_the_pipe_holds_comes_in_order_beside_a_follower(
    pipe: Pipe, until: Callable[..., Any]
) -> None:
    follower = threading.Thread(target=pipe.lines.follow, daemon=True)
    follower.start()
    wanted = [f"line {number} {'x' * 90}" for number in range(5000)]
    for start in range(0, len(wanted), 500):
        pipe.write("".join(f"{line}\n" for line in wanted[start : start + 500]).encode())
        pipe.lines.catch_up()
        assert pipe.came == wanted[: start + 500]
    assert follower.is_alive()


def test_the_last_line_needs_no_end_and_bytes_need_be_no_text(until: Callable[..., Any]) -> None:
    pipe = Pipe()
    follower = threading.Thread(target=pipe.lines.follow, daemon=True)
    follower.start()
    pipe.write(b"\xff one\nlast")
    os.close(pipe.writing)
    until(lambda: not follower.is_alive(), "the follower ends with the pipe")
    assert pipe.came == ["\ufffd one", "last"]
    pipe.lines.catch_up()
    assert len(pipe.came) == 2
