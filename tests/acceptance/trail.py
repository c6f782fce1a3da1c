"""What one request left in the logs, read from outside: the lines, and who called whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.localcloud import LocalCloud, Stack

Line = dict[str, Any]


@dataclass
class Hop:
    """One receive: a request that an API took, or one record of a batch."""

    function: str  # the logical id
    wide: Line  # the invocation line that tells of it
    received: Line  # its entry there
    lines: list[Line] = field(default_factory=list)  # what was logged while it was handled

    @property
    def sent(self) -> list[Line]:
        """What went out while it was handled."""
        return [one for one in self.wide["sent"] if one["parent"] == self.received["span"]]

    def values(self, name: str) -> set[str | None]:
        """What its lines have in a field; None stands for a line without it."""
        return {line.get(name) for line in self.lines}

    @property
    def levels(self) -> set[str]:
        return {line["level"] for line in self.lines}

    @property
    def ids(self) -> dict[str, set[str]]:
        """Every id that any of its lines carries, by name, with its values."""
        found: dict[str, set[str]] = {}
        for line in self.lines:
            for name, value in line.items():
                if name.startswith("x-correlation-"):
                    found.setdefault(name.removeprefix("x-correlation-"), set()).add(value)
        return found


class Trail:
    """Every hop of one request, found by its ``x-correlation-id`` alone."""

    def __init__(self, lines: Iterable[tuple[str, Line]], correlation_id: str) -> None:
        self.hops: list[Hop] = []
        mine = list(lines)
        for function, line in mine:
            if line["message"] == "invocation" and "received" in line:
                self.hops += [
                    Hop(function, line, received)
                    for received in line["received"]
                    if received["id"] == correlation_id
                ]
        by_span = {hop.received["span"]: hop for hop in self.hops}
        self._senders = {sent["span"]: hop for hop in self.hops for sent in hop.sent}
        for _, line in mine:
            own = line["message"] != "invocation" or line["logger"] != "clew"
            if own and line.get("spanId") in by_span:
                by_span[line["spanId"]].lines.append(line)

    def path(self, hop: Hop) -> str:
        """The functions that led to a hop, itself last: ``ApiA > Notify > ApiC``."""
        sender = self._senders.get(hop.received.get("parent", ""))
        return f"{self.path(sender)} > {hop.function}" if sender else hop.function

    @property
    def by_path(self) -> dict[str, list[Hop]]:
        found: dict[str, list[Hop]] = {}
        for hop in self.hops:
            found.setdefault(self.path(hop), []).append(hop)
        return found

    def only(self, path: str) -> Hop:
        """The one hop of that path."""
        (hop,) = self.by_path[path]
        return hop


def json_lines(cloud: LocalCloud, stack: Stack) -> Iterator[tuple[str, Line]]:
    """Every JSON line of the stack's functions, with the logical id of its function."""
    groups = {f"/aws/lambda/{name}": logical for logical, name in stack.functions.items()}
    for line in cloud.log_lines():
        if line.log_group in groups and line.message.startswith("{"):
            yield groups[line.log_group], json.loads(line.message)
