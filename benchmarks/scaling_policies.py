"""Scaling policies on loads whose peak needs 40 shards: cost against refused records.

Clew's settings are chosen on the first half of each load and judged on the second, beside models of
what others run. ``python -m benchmarks.scaling_policies`` prints all of it, load by load;
``--write`` puts the summary and the pictures into the documentation.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Result
from benchmarks.scaling_judge import GOALS, judge
from benchmarks.scaling_page import picture, summary, why_not
from benchmarks.scaling_shapes import made, real

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.scaling_judge import Judged, Point

_PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "scaling.md"
_PICTURES = _PAGE.parent / "img"
_MARKS = "<!-- Written by: python -m benchmarks.scaling_policies --write -->", "<!-- end -->"
_MOST_OVER = 1.3


def run() -> list[Result]:
    """On all loads."""
    return rows(judged())


def rows(every: Iterable[Judged]) -> list[Result]:
    """Whether any other is better than what clew chooses, and the choice's bill over the optimum's.

    Closed shards cost nothing here; the documentation has both.
    """
    found = [one for one in every if not one.closed_rate]
    held = sum(len(one.held) for one in found)
    others = sum(len(one.others) for one in found)
    unbeaten = sum(not one.better(one.choice(0)) for one in found)
    results = [
        _share(
            f"{len(found)} loads: cases in which another policy is not both cheaper and throttled"
            " less than every setting of clew's",
            held,
            others,
            "all others",
        ),
        _share(
            f"loads on which none is clearly better than clew's one choice for {GOALS[0]:.0%}",
            unbeaten,
            len(found),
            "all others",
        ),
    ]
    for one in found:
        best = one.own_choice
        results.append(
            Result(
                claim=f"{one.load.name}: the bill of {best.name}, chosen for"
                f" {GOALS[0]:.0%}, over the optimum's at the same {best.throttled:.2%} refused",
                ours=best.usd,
                peer=best.usd / best.over_optimum,
                peer_name="the clairvoyant optimum",
                peer_version="",
                ratio=best.over_optimum,
                target=_MOST_OVER,
                met=best.over_optimum <= _MOST_OVER,
                unit="USD",
            )
        )
    return results


def _share(claim: str, ours: int, of: int, peer: str) -> Result:
    return Result(claim, ours, of, peer, "", ours / of, 1.0, ours == of, "cases")


def judged(names: list[str] | None = None) -> Iterator[Judged]:
    """Each load, at both rates for closed shards; as many at a time as there are processors."""
    loads = [one for one in (*real(), *made()) if not names or any(n in one.name for n in names)]
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, len(loads) or 1)) as pool:
        for found in pool.map(judge, loads):
            yield from found


def _table(one: Judged) -> Table:
    rate = "not billed" if not one.closed_rate else "billed until they expire"
    load = one.load
    table = Table(
        "policy", "refused", "lost", "USD", "over optimum", "shards only", "closed", "changes",
        "relief", "beaten by", box=None,
        title=f"{load.name}: {load.days:.1f} days, closed shards {rate}",
    )  # fmt: skip
    for point in sorted(one.ours, key=lambda point: (point.usd, point.throttled)):
        chosen = [f"≤ {goal:.2%}" for goal, name in zip(GOALS, one.choices, strict=True)
                  if name == point.name]  # fmt: skip
        table.add_row(*_cells(point), f"chosen for {', '.join(chosen)}" if chosen else "")
    table.add_section()
    for point in one.others:
        answer = one.answer(point)
        table.add_row(*_cells(point), answer.name if answer else "[red]none of ours")
    return table


def _cells(point: Point) -> list[str]:
    return [
        point.name,
        f"{point.throttled:.4%}",
        f"{point.lost:.4%}",
        f"{point.usd:,.2f}",
        f"{point.over_optimum:.2f}",
        f"{point.shards_over_optimum:.2f}",
        f"{point.closed:,}",
        f"{point.changes:,}",
        f"{point.relief_minutes:.0f} min",
    ]


def write(found: list[Judged]) -> None:
    """The summary into the page, and a picture for each load beside it."""
    text = _PAGE.read_text("utf-8")
    start, end = text.index(_MARKS[0]) + len(_MARKS[0]), text.index(_MARKS[1])
    shown = [one for one in found if not one.closed_rate]
    pictures = "\n\n".join(f"![{one.load.name}](img/{_file(one)})" for one in shown)
    section = f"{summary(found)}\n\n### Pictures, closed shards not billed\n\n{pictures}"
    _PAGE.write_text(f"{text[:start]}\n\n{section}\n\n{text[end:]}", "utf-8")
    _PICTURES.mkdir(exist_ok=True)
    for one in shown:
        (_PICTURES / _file(one)).write_text(picture(one), "utf-8")


def _file(one: Judged) -> str:
    return f"scaling_{one.load.name.replace(' ', '_')}.svg"


def main() -> int:
    """Print every load's table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling_policies")
    parser.add_argument("names", nargs="*", help="which loads, by a part of the name (all)")
    parser.add_argument("--write", action="store_true", help="write the summary into the docs")
    given = parser.parse_args()
    console, found = Console(width=200), []
    if not any(True for _ in real()):
        console.print("There are no real loads here (CLEW_TRACES): only the made ones are judged.")
    for one in judged(given.names):
        found.append(one)
        console.print(_table(one))
        for why in why_not(one):
            console.print(why, style="yellow")
        console.print()
    if given.write:
        write(found)
    else:
        console.print(summary(found), soft_wrap=True, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
