"""Run the matrix and write its page."""

from __future__ import annotations

import sys

from clew.localcloud import LocalCloud

from .cells import CELLS
from .page import PAGE, render
from .run import run


def main() -> int:
    """0 if everything arrived."""
    with LocalCloud.start(name="matrix") as cloud:
        results = run(cloud, CELLS)
    PAGE.write_text(render(results), "utf-8")
    missing = [result for result in results if not result.whole]
    for result in missing:
        gone = ", ".join(aspect for aspect, there in result.arrived.items() if not there)
        print(f"{result.cell.name}: {gone}")
    print(f"{len(results) - len(missing)} of {len(results)} cells are whole; see {PAGE}")
    return 1 if missing else 0


sys.exit(main())
