"""Lines that are shipped to ``clew ui``, as it is started from a command line."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clew.shipping.deliver import Report, deliver
from clew.shipping.settings import read_address
from clew.shipping.sinks import open_sink
from clew.stories.store import Store

from .ingest import TOKEN
from .making import clew_line, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = lines(*(clew_line(f"line {n}") for n in range(50)), "a print", "  and more of it")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with Store(tmp_path / "logs.db", write=True):
        return tmp_path / "logs.db"


@pytest.fixture
def address(store: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "clew", "ui", "--store", str(store), "--port", "0"]
    with subprocess.Popen(
        [*command, "--no-browser", "--token", TOKEN], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            said = next((row for row in process.stdout if "http://" in row), "")
            found = re.search(r"http://[\d.]+:\d+", said)
            assert found, said
            yield found[0]
        finally:
            process.terminate()


def shipped(address: str, token: str) -> Report:
    sink = open_sink(read_address(f"store+{address}", token))
    try:
        return deliver(LINES, sink)
    finally:
        sink.close()


def test_clew_ui_takes_lines_once(address: str, store: Path) -> None:
    for _ in range(2):
        assert shipped(address, TOKEN).sent == 51
    with Store(store) as found:
        assert found.stats().lines == 51
        assert "a print\n  and more of it" in {one.message for one in found.entries()}
    report = shipped(address, f"{TOKEN}-not")
    assert len(report.left) == 51
    assert "answered 401" in report.why
