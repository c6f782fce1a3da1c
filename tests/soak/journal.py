"""Reads what the workers of a soak wrote down, and judges it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass
class Verdict:
    """What came of the records."""

    #: Records that came at least once.
    handled: int = 0
    #: Times that a record came to a later holder of its shard that had come before.
    repeats: int = 0
    #: Of those, such as no batch in flight explains.
    unexplained: list[str] = field(default_factory=list)
    #: Records that came before one of their key that was put earlier.
    out_of_order: list[str] = field(default_factory=list)
    #: Batches that an older holder of a shard began after a newer one had.
    stale: list[str] = field(default_factory=list)
    batches: int = 0
    failed_batches: int = 0
    #: How often each other thing was told.
    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    discarded: int = 0


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines; a process that was killed may have left half a line."""
    lines = []
    for text in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def judge(lines: Iterable[dict[str, Any]]) -> Verdict:
    """Judge the lines, which are in the order in which they were written."""
    verdict = Verdict()
    next_of: dict[str, int] = defaultdict(int)
    done: set[str] = set()
    begun: set[str] = set()
    settled: set[str] = set()
    newest: dict[str, int] = defaultdict(int)
    # By shard and token: what was done last, which the next batch there shows to be written down.
    last_done: dict[tuple[str, int], list[str]] = {}
    for line in lines:
        if "event" in line:
            verdict.events[line["event"]] += 1
            verdict.discarded += line["event"] == "batch discarded"
            continue
        shard, token, records = line["shard"], line["token"], line["records"]
        if line["batch"] == "begun":
            verdict.batches += 1
            verdict.failed_batches += 1
            if token < newest[shard]:
                verdict.stale.append(f"{shard} {token} after {newest[shard]}")
            if token > newest[shard]:
                verdict.repeats += sum(record in begun for record in records)
            newest[shard] = max(newest[shard], token)
            begun.update(records)
            settled.update(last_done.pop((shard, token), ()))
            for record in records:
                _in_order(record, next_of, verdict)
                if record in settled:
                    verdict.unexplained.append(record)
        else:
            verdict.failed_batches -= 1
            done.update(records)
            last_done[shard, token] = records
    verdict.handled = len(done)
    return verdict


def _in_order(record: str, next_of: dict[str, int], verdict: Verdict) -> None:
    key, _, number = record.partition(":")
    if int(number) > next_of[key]:
        verdict.out_of_order.append(record)
    elif int(number) == next_of[key]:
        next_of[key] += 1
