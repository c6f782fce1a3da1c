"""The code that the documentation shows runs."""

from __future__ import annotations

import doctest
import importlib
import logging
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import clew

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")))
]


@pytest.fixture(autouse=True)
def _leave_no_hooks() -> Iterator[None]:
    """The decorators in the examples hook this process's clients and its root logger."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    root.handlers[:] = before
    clew.uninstrument()


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_of_python_runs(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Clients are made in the blocks, and ask for a region; nothing is sent.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    exec(compile(code, "block", "exec"), {"__name__": "docs"})


@pytest.mark.parametrize(
    "name",
    [found.name for found in pkgutil.walk_packages(clew.__path__, "clew.")],
)
def test_the_examples_in_docstrings_say_what_happens(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_every_link_to_a_file_of_the_project_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md"]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
