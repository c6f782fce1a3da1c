"""The store of log lines: how fast lines go in, and how fast a story comes out.

``CLEW_BENCH_LINES`` says how many lines (1,000,000).
"""

from __future__ import annotations

import json
import os
from typing import Any

from benchmarks.measure import Result, in_fresh_process, version

LINES = int(os.environ.get("CLEW_BENCH_LINES", "1000000"))
_PEER_LINES = min(LINES, 100_000)
_TARGET_US = 10.0  # 100,000 lines a second
_STORY_MS = 20.0 if LINES <= 1_000_000 else 50.0
_GROWTH_MB = 200.0

_OURS = """
import json, os, random, resource, sys, tempfile, time
from itertools import islice
from pathlib import Path
from benchmarks.store_lines import LINES_OF_ONE, requests
from clew.stories import find_story
from clew.stories.store import Query, Store

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

count = int(sys.argv[1])
lines = requests(count // LINES_OF_ONE)
ids, seconds, cpu, size, part, peak = [], 0.0, 0.0, 0, [], 0.0
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "logs.db"
    with Store(path, write=True) as store:
        while True:
            # To make the lines is no part of what is measured; to commit them is.
            part = []  # those before are not the store's either
            part = list(islice(lines, 100_000))
            if not part:
                break
            size += sum(len(line.message) for line in part)
            ids += [json.loads(line.message)["x-correlation-id"] for line in part[::997]]
            before = peak_mb() if not peak else peak
            began, worked = time.perf_counter(), time.process_time()
            assert store.add(part) == (len(part), 0)
            seconds += time.perf_counter() - began
            cpu += time.process_time() - worked
            if not peak:
                peak = before
        grown = peak_mb() - peak
        told = store.stats()
        assert not any(store.damage()) if count <= 200_000 else True
    kept = path.stat().st_size
    times = []
    with Store(path) as store:
        # Each one another's: what a request reads is not there from the one before.
        for one in random.Random(1).sample(ids, min(len(ids), 500)):
            began = time.perf_counter()
            story = find_story(store, one)
            times.append(time.perf_counter() - began)
            assert len(story.hops) == 7 and not story.breaks, story
        began = time.perf_counter()
        assert store.search(Query(text="author found")).total == told.lines // LINES_OF_ONE
        searched = time.perf_counter() - began
times.sort()
print(json.dumps({
    "us": seconds / told.lines * 1e6, "cpu_us": cpu / told.lines * 1e6, "lines": told.lines,
    "story_ms": times[int(len(times) * 0.99)] * 1e3, "median_ms": times[len(times) // 2] * 1e3,
    "grown_mb": grown, "peak_mb": peak, "raw": size / told.lines, "kept": kept / told.lines,
    "search_ms": searched * 1e3,
}))
"""

_PEER = """
import json, sys, tempfile, time
from pathlib import Path
from sqlite_utils import Database
from benchmarks.store_lines import LINES_OF_ONE, requests
from clew.stories.store.facts import facts_of, loads

def row(number, line, words):
    found = loads(line.message)
    return {
        "id": number, "at": line.at_ms, "log_group": line.log_group, "stream": line.stream,
        "function": found.get("function"), "version": found.get("version"),
        "request": found.get("requestId"), "trace": found.get("traceId"),
        "correlation": found.get("x-correlation-id"), "level": found.get("level"),
        "text": words, "message": line.message,
    }

# It reads the JSON as clew does, and is given the words that clew indexes. What clew does besides
# (look for secrets and for lines that come again, the other ids, compress) it does not.
count = int(sys.argv[1])
lines = list(requests(count // LINES_OF_ONE))
words = [facts_of(line.message).words for line in lines]
with tempfile.TemporaryDirectory() as folder:
    database = Database(Path(folder) / "logs.db")
    database.enable_wal()
    database.execute("PRAGMA synchronous = NORMAL")
    table = database["lines"]
    table.insert(row(0, lines[0], words[0]), pk="id")
    table.create_index(["correlation"])
    table.create_index(["request"])
    table.enable_fts(["text"], create_triggers=True)
    rows = map(row, range(1, len(lines)), lines[1:], words[1:])
    began, worked = time.perf_counter(), time.process_time()
    table.insert_all(rows, batch_size=10_000)
    seconds = time.perf_counter() - began
    cpu = time.process_time() - worked
    assert table.count == len(lines)
    database.close()
print(json.dumps({"us": seconds / len(lines) * 1e6, "cpu_us": cpu / len(lines) * 1e6}))
"""


def run() -> list[Result]:
    """Ingest against sqlite-utils in turn, and then all the lines."""
    peers: list[dict[str, float]] = []
    ours: list[dict[str, float]] = []
    for _ in range(3):
        peers.append(in_fresh_process(_PEER, str(_PEER_LINES)))
        ours.append(in_fresh_process(_OURS, str(_PEER_LINES)))
    peer, small = min(one["us"] for one in peers), min(one["us"] for one in ours)
    found: dict[str, Any] = in_fresh_process(_OURS, str(LINES)) if LINES != _PEER_LINES else ours[0]
    count = f"{found['lines']:,}"
    return [
        Result(
            claim=f"Store {_PEER_LINES:,} lines with their words and ids, a line",
            ours=small,
            peer=peer,
            peer_name="sqlite-utils with FTS",
            peer_version=version("sqlite-utils"),
            ratio=small / peer,
            target=0.5,
            met=small / peer <= 0.5,
        ),
        _bound(
            f"Store {count} lines, a line (10 µs are 100,000 lines a second)",
            found["us"],
            found["cpu_us"],
            "its processor time",
            _TARGET_US,
            "µs",
        ),
        _bound(
            f"A story by its id among {count} lines, 99 of 100",
            found["story_ms"],
            found["median_ms"],
            "the median",
            _STORY_MS,
            "ms",
        ),
        _bound(
            f"Growth of memory while {count} lines are stored",
            found["grown_mb"],
            found["peak_mb"],
            "itself before",
            _GROWTH_MB,
            "MB",
        ),
        _bound(
            f"The file of {count} lines, a line, to its text",
            found["kept"],
            found["raw"],
            "the lines as text",
            0.6,
            "bytes",
            ratio=found["kept"] / found["raw"],
        ),
    ]


def _bound(
    claim: str,
    ours: float,
    beside: float,
    what: str,
    target: float,
    unit: str,
    ratio: float | None = None,
) -> Result:
    """A claim that is no comparison: ``ours`` itself has to stay below the target."""
    value = ours if ratio is None else ratio
    return Result(
        claim=claim,
        ours=ours,
        peer=beside,
        peer_name=what,
        peer_version="",
        ratio=value,
        target=target,
        met=value <= target,
        unit=unit,
    )


if __name__ == "__main__":
    print(json.dumps([one.as_json() for one in run()], indent=2))
