"""The matrix as a page of the reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .cells import TABLES
from .run import ASPECTS, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "matrix.md"

_HEAD = """\
# What arrives, by every carrier on every way

Each line below is run by `python -m tests.matrix`, which writes this page, and by the tests: a
message is sent under a correlation, and a deployed function logs what `clew.capture` found. A ✓
says:

| column | what was compared |
| --- | --- |
| id | `x-correlation-id` is the sender's, and the source is the one that is named |
| ids added | so is every `x-correlation-*` that was bound |
| user agent | it is the original caller's |
| DEBUG | the sender's decision was honoured: a DEBUG line was written |
| chain length | it counts every function on the way |
| span joined | the span of each send is the parent of a receive, and of no other |

Everything but the last table ran on the [local cloud](local-cloud.md): real messages through its
services to a real function.
"""
_PAYLOADS = """\
These events are those of AWS's documentation, given to the same function. Into them the fields were
put by hand with `clew.stamp`, as whoever sends to a source does for which clew hooks no client. (Of
SNS, only the local cloud's binary attributes are missing; clew's own sends are in the first table.)
"""
_TAIL = """\
## What is not in the tables

- What carries nothing because there is no room in it, or because it is no JSON object, arrives as
  it was sent and begins a correlation of its own.
- DynamoDB carries ids for the tables that `CLEW_FORWARD_TABLES` names.
- Events that nobody's request caused (schedules, alarms, a TTL that is over) begin one too.
- Services that batch records from several senders hand each record over with its own ids.
"""


def render(results: Iterable[Result]) -> str:
    """The page, of results in the order of the cells."""
    by_name = {result.cell.name: result for result in results}
    parts = [_HEAD]
    for heading, cells in TABLES.items():
        notes = any(cell.note for cell in cells)
        names = ["carrier", "way", "source", *ASPECTS, *(["remark"] if notes else [])]
        rows = [_row(names), _row(["---", "---", "---", *[":-:"] * len(ASPECTS)][: len(names)])]
        if notes:
            rows[1] = _row(["---"] * 3 + [":-:"] * len(ASPECTS) + ["---"])
        for cell in cells:
            arrived = by_name[cell.name].arrived
            marks = ["✓" if arrived[aspect] else "✗" for aspect in ASPECTS]
            own = [cell.carrier, cell.path, f"`{cell.source}`"]
            rows.append(_row([*own, *marks, *([cell.note] if notes else [])]))
        text = "" if all(cell.emulated for cell in cells) else f"{_PAYLOADS}\n"
        parts.append(f"## {heading}\n\n{text}" + "\n".join(rows) + "\n")
    return "\n".join([*parts, _TAIL])


def _row(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"
