"""Run every benchmark: ``python -m benchmarks [NAME...]``.

Prints a table, and writes ``benchmarks/results.json`` and ``docs/benchmarks.md``, in which the
benchmarks that did not run keep their rows.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Result, in_fresh_process

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
NAMES = (
    "cold_import",
    "log_line",
    "kinesis_records",
    "batches",
    "api_handler",
    "put_records",
    "wrong_ids",
    "memory",
    "put_to_handler",
    "worker_drain",
    "alarm_to_split",
    "scaling_speed",
    "scaling_policies",
    "store",
    "reconstruct",
    "shipping",
    "page",
)


#: What a reader of the table has to know besides.
NOTES = """\
## What is behind some of them

- **PutRecords.** With the ids 190 bytes become some 460, and boto3 takes longer for more bytes,
  whoever puts them in: a row says how much. No way of putting them in gets below that. What is
  clew's own stands in the row before it; half of it is to look whether a payload is a JSON object,
  without which nothing may be put in. Where the function has imported orjson, that takes half as
  long.
- **Kinesis records with orjson.** Of clew's time, base64 and orjson itself are a good third. The
  rest is what a record costs that has its own correlation, can be asked for by any code that runs
  meanwhile, and is in the invocation line. Powertools' handler decodes by `json` in this row too:
  it has no other way.
- **A DEBUG line that is held.** The fields are copied, so that a failure shows them as they were
  then. Powertools drops the line.
"""


def main() -> int:
    """Run the benchmarks that are named, or all; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which ones (all)")
    names = parser.parse_args().names or list(NAMES)
    console = Console()
    found: dict[str, list[Result]] = {}
    for name in names:
        with console.status(f"Measuring {name.replace('_', ' ')}"):
            found[name] = _in_a_process_of_its_own(name)
    results = [one for name in names for one in found[name]]
    console.print(_table(results))
    _write(found)
    missed = [one.claim for one in results if not one.met]
    for claim in missed:
        console.print(f"Missed: {claim}", style="red")
    return 1 if missed else 0


def _write(found: dict[str, list[Result]]) -> None:
    """Write what was found, beside what earlier runs found of the benchmarks that did not run."""
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kept.setdefault(row["benchmark"], []).append(row)
    for name, results in found.items():
        kept[name] = [{"benchmark": name, **one.as_json()} for one in results]
    ordered = [row for name in NAMES for row in kept.get(name, [])]
    RESULTS.write_text(json.dumps(ordered, indent=2) + "\n")
    for row in ordered:
        row.pop("benchmark")
    PAGE.write_text(_page([Result(**row) for row in ordered]))


def _in_a_process_of_its_own(name: str) -> list[Result]:
    """Loggers, hooks and caches of one benchmark reach no other one."""
    code = (
        "import json, sys; from importlib import import_module; "
        "found = import_module(f'benchmarks.{sys.argv[1]}').run(); "
        "print(json.dumps([one.as_json() for one in found]))"
    )
    return [Result(**one) for one in in_fresh_process(code, name)]


def _table(results: list[Result]) -> Table:
    table = Table("claim", "clew", "peer", "of", "ratio", "target", "met", box=None)
    for one in results:
        table.add_row(
            one.claim,
            _number(one.ours, one.unit),
            _number(one.peer, one.unit),
            f"{one.peer_name} {one.peer_version}",
            f"{one.ratio:.3g}",
            f"{one.target:g}",
            "yes" if one.met else "[red]no",
        )
    return table


def _page(results: list[Result]) -> str:
    rows = "\n".join(
        f"| {one.claim} | {_number(one.ours, one.unit)} | {_number(one.peer, one.unit)} "
        f"| {one.peer_name} {one.peer_version} | {one.ratio:.3g} | {one.target:g} "
        f"| {'yes' if one.met else 'no'} |"
        for one in results
    )
    return f"""# Benchmarks

Written by `make bench`, which measures clew and each peer in turn in the same run. What counts is
the ratio (ours to theirs): the times themselves are those of the machine of the last run, which
had Python {platform.python_version()} on {platform.machine()}.

| claim | clew | peer | which peer | ratio | target | met |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

{NOTES}"""


def _number(value: float, unit: str) -> str:
    return f"{value:,.4g} {unit}"


if __name__ == "__main__":
    sys.exit(main())
