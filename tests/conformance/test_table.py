"""The documentation's table is the table of the cases, and says what the tests say."""

from __future__ import annotations

from .cases import CASES
from .table import PAGE, first_cells, rows_of


def test_every_case_is_in_the_table_as_it_is_now() -> None:
    rows = rows_of(PAGE.read_text())
    written = [row[:3] for row in rows]
    assert written == [first_cells(case.name) for case in CASES], "run: python -m tests.conformance"
    assert {row[3] for row in rows} == {"yes"}
    assert {row[4].partition(":")[0] for row in rows} == {"yes", "no"}


def test_no_two_cases_have_a_name() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
