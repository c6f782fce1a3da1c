"""Each cell of the matrix, and its page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from .cells import CELLS
from .page import PAGE, render
from .run import ASPECTS, Result, run

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


@pytest.fixture(scope="module")
def results(cloud: LocalCloud) -> dict[str, Result]:
    """All cells, sent at once."""
    return {result.cell.name: result for result in run(cloud, CELLS)}


@pytest.mark.local_cloud
@pytest.mark.parametrize("name", [cell.name for cell in CELLS])
def test_everything_arrives(name: str, results: dict[str, Result]) -> None:
    result = results[name]
    assert result.whole, (result.arrived, result.said)


def test_each_cell_is_there_once() -> None:
    assert [name for name, count in Counter(cell.name for cell in CELLS).items() if count > 1] == []


def test_the_page_says_what_the_tests_verify() -> None:
    """`python -m tests.matrix` writes it."""
    whole = [Result(cell, dict.fromkeys(ASPECTS, True)) for cell in CELLS]
    assert PAGE.read_text("utf-8") == render(whole)
