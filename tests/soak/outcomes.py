"""Judges a soak of the stream processor by what was really written: effects, letters, log lines."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from clew.streams.envelope import unseal
from log.lines import came_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_ENDS = ("done", "skipped", "dead-lettered")


@dataclass
class Judged:
    """What came of the records of one run."""

    HEAD: ClassVar[tuple[str, ...]] = (
        "records",
        "done",
        "skipped",
        "dead-lettered",
        "lost",
        "out of order",
        "came again",
        "effects twice",
    )

    records: int = 0
    #: How each record ended that its source did not deliver again, by outcome.
    ends: Counter[str] = field(default_factory=Counter)
    #: Records whose end was never reported, or of which nothing shows that it came to that end.
    lost: list[str] = field(default_factory=list)
    #: Records that were acknowledged more than once.
    twice: list[str] = field(default_factory=list)
    #: Records of a key whose effect was had after a later one's.
    out_of_order: list[int] = field(default_factory=list)
    #: Deliveries of records that had been delivered before.
    again: int = 0
    #: Effects that were had more than once.
    effects_twice: int = 0
    #: Calls that came to an effect which was there, and the records of those that are not explained
    #: by the end of a process between the effect and its mark.
    calls_again: Counter[int] = field(default_factory=Counter)
    unexplained: list[int] = field(default_factory=list)
    #: Records that came to one end, were delivered again, and came to another one.
    two_ends: int = 0
    letters_twice: int = 0
    chances: Counter[str] = field(default_factory=Counter)

    def row(self) -> list[int]:
        """The counts of `HEAD`."""
        return [
            self.records,
            *(self.ends[end] for end in _ENDS),
            len(self.lost),
            len(self.out_of_order),
            self.again,
            self.effects_twice,
        ]


def judge(
    directory: Path,
    *,
    numbers: Mapping[str, int],
    key_of: Callable[[int], int],
    acknowledged: Mapping[str, list[str]],
    answered: set[str],
    deliveries: Counter[str],
    letters: list[str],
) -> Judged:
    """Judge one run.

    Args:
        directory: Where the processes wrote their journal and logs.
        numbers: The records' numbers by sequence number; in the order in which they were put.
        key_of: A record's key by its number.
        acknowledged: The requests after which the source went on behind a record.
        answered: The requests that were not cut off.
        deliveries: How often each record was delivered.
        letters: The bodies of the messages in the dead-letter queue.
    """
    found = Judged(records=len(numbers))
    effects, cut_off = _journal(directory, answered, found)
    by_letter = Counter(_number_in(one) for one in letters)
    reported: dict[tuple[str, str], dict[str, Any]] = {}
    skipped: set[int] = set()
    for line in _log_lines(directory):
        if line.get("message") == "invocation":
            for entry in came_in(line):
                reported[line["requestId"], entry["sequenceNumber"]] = entry
        elif line.get("message") == "record skipped":
            skipped.add(numbers[line["sequenceNumber"]])

    for sequence, number in numbers.items():
        requests = acknowledged.get(sequence, [])
        if len(requests) != 1:
            (found.twice if requests else found.lost).append(f"{number}: {requests}")
            continue
        one = reported.get((requests[0], sequence))
        outcome = one["outcome"] if one else "not reported"
        there = {
            "done": number in effects,
            "skipped": number in skipped,
            "dead-lettered": number in by_letter,
        }
        # A repeat is done with no attempt, whatever it had ended in.
        repeat = one is not None and outcome == "done" and not one["attempts"]
        if not (any(there.values()) if repeat else there.get(outcome)):
            found.lost.append(f"{number}: {outcome}, and nothing shows it")
        found.ends[outcome] += 1
        found.two_ends += sum(there.values()) > 1

    given_up = skipped | by_letter.keys()
    found.out_of_order = _out_of_order(
        [number for number in effects if number not in given_up], key_of
    )
    found.again = sum(deliveries.values()) - len(deliveries)
    found.letters_twice = sum(by_letter.values()) - len(by_letter)
    repeats = {n: count - 1 for n, count in effects.items() if count > 1}
    found.effects_twice = sum(repeats.values())
    found.unexplained = [n for n, count in found.calls_again.items() if count > cut_off[n]]
    return found


def _journal(
    directory: Path, answered: set[str], found: Judged
) -> tuple[dict[int, int], Counter[int]]:
    """How often each effect was had, in the order of the first times; and how many calls came to
    it in an invocation that was cut off."""
    effects: dict[int, int] = {}
    cut_off: Counter[int] = Counter()
    for line in (directory / "journal").read_text().splitlines():
        word, number, rest = line.split(" ", 2)
        if word == "chance":
            found.chances[rest] += 1
            continue
        if word == "effect":
            effects[int(number)] = effects.get(int(number), 0) + 1
        else:
            found.calls_again[int(number)] += 1
            if int(number) not in effects:  # it is there: who had it was killed before it said so
                effects[int(number)] = 1
                cut_off[int(number)] += 1
        cut_off[int(number)] += rest not in answered
    return effects, cut_off


def _out_of_order(effects: list[int], key_of: Callable[[int], int]) -> list[int]:
    """The records whose first effect came after that of a later record of their key."""
    highest: dict[int, int] = defaultdict(lambda: -1)
    found = []
    for number in effects:
        key = key_of(number)
        if number < highest[key]:
            found.append(number)
        highest[key] = max(highest[key], number)
    return found


def _number_in(letter: str) -> int:
    return int(json.loads(unseal(letter).payload)["n"])


def _log_lines(directory: Path) -> Iterator[dict[str, Any]]:
    """The lines of all processes; one that was killed may have left half a line."""
    for path in directory.glob("log-*"):
        for text in path.read_bytes().split(b"\n"):
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line
