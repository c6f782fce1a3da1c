"""The pages of ``clew ui``: how soon they are there in Chromium, and what the server takes.

``CLEW_BENCH_LINES`` says how many lines the store has (1,000,000).
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Result
from benchmarks.store_lines import LINES_OF_ONE, requests

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = int(os.environ.get("CLEW_BENCH_LINES", "1000000"))
_INGESTED = min(LINES, 200_000)
_TOGETHER = 10_000  # what the shipper sends at once
_READY_MS, _RSS_MB = 1_000.0, 200.0
_TOKEN = "only-of-the-benchmark"
_ROOT = Path(__file__).parents[1]
_TIMES = "(({responseStart, responseEnd, loadEventEnd}) => [loadEventEnd, responseEnd])"
_MEASURED = f"{_TIMES}(performance.getEntriesByType('navigation')[0])"


def run() -> list[Result]:
    """The first page, a search, a story, the map; and the memory of a server that takes lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs.db"
        id_ = _fill(path)
        found = _pages(path, {"the first page": "/", "a search": "/?q=author+found",
                              "a story": f"/story/{id_}", "the map": "/map?since=all"})  # fmt: skip
        taken = _memory(Path(folder) / "ingested.db")
    rows = [
        Result(
            claim=f"Open {name} of {LINES:,} lines in Chromium",
            ours=ready,
            peer=answered,
            peer_name="until the answer is there",
            peer_version="",
            ratio=ready,
            target=_READY_MS,
            met=ready <= _READY_MS,
            unit="ms",
        )
        for name, (ready, answered) in found.items()
    ]
    before, peak = taken
    rows.append(
        Result(
            claim=f"Memory of the page's server while {_INGESTED:,} lines are shipped to it",
            ours=peak,
            peer=before,
            peer_name="itself before",
            peer_version="",
            ratio=peak,
            target=_RSS_MB,
            met=peak <= _RSS_MB,
            unit="MB",
        )
    )
    return rows


def _fill(path: Path) -> str:
    """A store of so many lines, and the id of a request in its middle."""
    from clew.stories.store import Query, Store

    with Store(path, write=True) as store:
        store.add(requests(LINES // LINES_OF_ONE))
        told = store.stats()
        assert told.newest_ms is not None
        line = store.search(Query(text="publishing", limit=500)).lines[-1]
    id_: str = json.loads(line.message)["x-correlation-id"]
    return id_


@contextmanager
def _served(path: Path, *arguments: str) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "clew", "ui", "--store", str(path), "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1].rstrip("/"), server.pid
        finally:
            server.terminate()


def _pages(path: Path, pages: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Milliseconds until each is loaded, and until its answer is there; the first time each."""
    from playwright.sync_api import sync_playwright

    chromium = subprocess.run(
        [_ROOT / "tools" / "chromium.sh"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[0]
    found: dict[str, list[list[float]]] = {name: [] for name in pages}
    with sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=as_root)
        for _ in range(3):  # each time a server that has read nothing yet
            with _served(path) as (url, _):
                page = browser.new_page()
                for name, where in pages.items():
                    answer = page.goto(url + where)
                    assert answer is not None
                    assert answer.status == 200, name
                    page.wait_for_function("performance.timing.loadEventEnd > 0")
                    found[name].append(page.evaluate(_MEASURED))
                page.close()
        browser.close()
    return {
        name: (
            statistics.median(one[0] for one in times),
            statistics.median(one[1] for one in times),
        )
        for name, times in found.items()
    }


def _memory(path: Path) -> tuple[float, float]:
    """The server's resident set in MB, before and at its peak."""
    import httpx

    headers = {"authorization": f"Bearer {_TOKEN}"}
    shipped = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    with _served(path, "--token", _TOKEN) as (url, pid), httpx.Client(timeout=120) as client:
        before = _resident_mb(pid, "VmRSS")
        lines = requests(_INGESTED // LINES_OF_ONE)
        number = 0
        while part := list(islice(lines, _TOGETHER)):
            batches = []
            for (group, stream), some in groupby(
                sorted(part, key=lambda line: line[1:3]), key=lambda line: line[1:3]
            ):
                events = []
                for line in some:
                    number += 1
                    event = {"id": str(number), "timestamp": line.at_ms, "message": line.message}
                    events.append(event)
                batch: dict[str, Any] = {"logGroup": group, "logStream": stream}
                batches.append(json.dumps(batch | {"logEvents": events}))
            body = gzip.compress("\n".join([*batches, ""]).encode(), 5)
            taken = client.post(f"{url}/ingest", content=body, headers=headers | shipped)
            assert taken.json()["stored"] == len(part), taken.text
            client.get(f"{url}/", headers=headers).raise_for_status()
        return before, _resident_mb(pid, "VmHWM")


def _resident_mb(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1000


if __name__ == "__main__":
    print(json.dumps([one.as_json() for one in run()], indent=2))
