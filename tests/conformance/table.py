"""The table of the documentation: each case, its page, and what keeps to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .cases import CASES

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "event-source-mapping.md"
_BEGIN = "<!-- The table is written by: python -m tests.conformance -->\n"
_END = "<!-- Here it ends. -->\n"
_MOST = 110


def with_table(text: str, worker: Mapping[str, str], emulator: Mapping[str, str]) -> str:
    """The page's text with the table in its place."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_table(worker, emulator)}\n{_END}{after}"


def rows_of(text: str) -> list[list[str]]:
    """The cells of the table's rows in a page."""
    table = text.partition(_BEGIN)[2].partition(_END)[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def first_cells(case_name: str) -> list[str]:
    """What the row of a case begins with: its name, the rule, the page."""
    (case,) = (case for case in CASES if case.name == case_name)
    return [f"`{case.name}`", _cell(case.rule), f"[{case.page.title}]({case.page.url})"]


def _table(worker: Mapping[str, str], emulator: Mapping[str, str]) -> str:
    lines = [
        "| case | rule | page | clew | the emulator's own |",
        "| --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        cells = [*first_cells(case.name), _said(worker[case.name]), _said(emulator[case.name])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _said(difference: str) -> str:
    if not difference:
        return "yes"
    shown = difference if len(difference) <= _MOST else f"{difference[: _MOST - 3]}..."
    return f"no: {_cell(shown)}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
