"""Puts numbered lines into a store until it is killed: ``python -m soak.store_process STORE N``.

After each call that returned, it prints the number of the last line that is acknowledged.
"""

from __future__ import annotations

import json
import sys
from itertools import count

from clew.stories.store import Entry, Store

LINES = 500


def line(number: int) -> Entry:
    """The line of a number; every 25 are of one request."""
    message = {
        "timestamp": "2026-01-02T03:04:05.678Z",
        "level": "INFO",
        "message": f"line n{number}",
        "requestId": f"invocation-{number // 5}",
        "function": f"function-{number % 5}",
        "x-correlation-id": f"request-{number // 25}",
        "payload": "some words that are the same in every line, " * 5,
    }
    return Entry(1_767_323_045_000 + number // 7, "/aws/lambda/f", "s", json.dumps(message))


def main() -> None:
    """Go on from a number until the end of this process."""
    with Store(sys.argv[1], write=True) as store:
        for first in count(int(sys.argv[2]), LINES):
            store.add(map(line, range(first, first + LINES)))
            print(first + LINES, flush=True)


if __name__ == "__main__":
    main()
