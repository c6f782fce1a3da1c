"""Runs the contract in the worker and in the emulator, and writes the documentation's table."""

from __future__ import annotations

import sys
from pathlib import Path

from clew.localcloud import LocalCloud

from .cases import CASES
from .contract import difference
from .in_emulator import run_in_emulator
from .in_worker import run_in_worker
from .table import PAGE, with_table


def main() -> int:
    """The exit status: whether the worker keeps to the contract."""
    with LocalCloud.start(name="conformance") as cloud:
        session = cloud.session()
        worker = {case.name: difference(run_in_worker(session, case)) for case in CASES}
    emulator = run_in_emulator(CASES)
    PAGE.write_text(with_table(PAGE.read_text(), worker, emulator))
    differs = {name: said for name, said in worker.items() if said}
    for name, said in differs.items():
        print(f"{name}: {said}", file=sys.stderr)
    kept = sum(not said for said in emulator.values())
    where = PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE
    print(
        f"clew's worker keeps to {len(CASES) - len(differs)} of {len(CASES)} cases, "
        f"the emulator's own mappings to {kept}; the table is in {where}."
    )
    return bool(differs)


if __name__ == "__main__":
    sys.exit(main())
