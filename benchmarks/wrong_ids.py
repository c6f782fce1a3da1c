"""Wrong ids under concurrency: 100 tasks and 16 threads, each logging under its own id."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from typing import Any

import clew
from benchmarks.measure import Result, version

_TASKS, _THREADS, _LINES = 100, 16, 100_000


def run() -> list[Result]:
    """Lines that carry another's id: clew's of 100,000, and Powertools' ``append_keys`` of 100."""
    wrong, lines = _ours()
    their_wrong, their_lines = _theirs()
    return [
        Result(
            claim=f"lines under a wrong id, of {lines:,} (theirs of {their_lines:,})",
            ours=wrong,
            peer=their_wrong,
            peer_name="aws-lambda-powertools",
            peer_version=version("aws-lambda-powertools"),
            ratio=wrong / max(their_wrong, 1),
            target=0,
            met=wrong == 0 and lines >= _LINES,
            unit="lines",
        )
    ]


def _ours() -> tuple[int, int]:
    log = clew.get_logger("benchmark")
    each = _LINES // (_TASKS + _THREADS) + 1

    async def task(number: int) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": f"task-{number}"})):
            for _ in range(each):
                log.info("line", extra={"mine": f"task-{number}"})
                await asyncio.sleep(0)

    def thread(number: int) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": f"thread-{number}"})):
            for _ in range(each):
                log.info("line", extra={"mine": f"thread-{number}"})

    async def all_tasks() -> None:
        await asyncio.gather(*(task(number) for number in range(_TASKS)))

    written = io.StringIO()
    before, sys.stdout = sys.stdout, written
    try:
        threads = [threading.Thread(target=thread, args=[number]) for number in range(_THREADS)]
        for one in threads:
            one.start()
        asyncio.run(all_tasks())
        for one in threads:
            one.join()
    finally:
        sys.stdout = before
    return _count(written.getvalue(), "x-correlation-id")


def _theirs() -> tuple[int, int]:
    from aws_lambda_powertools import Logger

    written = io.StringIO()
    # A name of its own: loggers of one name share the first one's stream.
    logger = Logger(service="wrong-ids", stream=written)

    async def task(number: int) -> None:
        logger.append_keys(correlation_id=f"task-{number}")
        await asyncio.sleep(0)
        logger.info("line", extra={"mine": f"task-{number}"})

    async def all_tasks() -> None:
        await asyncio.gather(*(task(number) for number in range(_TASKS)))

    asyncio.run(all_tasks())
    return _count(written.getvalue(), "correlation_id")


def _count(text: str, name: str) -> tuple[int, int]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    return sum(line.get(name) != line["mine"] for line in lines), len(lines)
