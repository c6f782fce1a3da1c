"""Which stream mappings there are to run, and how those that run are doing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_EVERY_S = 0.1
_ANSWER_AFTER_S = 10.0


class MappingBoard:
    """Stands between the emulator, which has the mappings, and the process that runs them.

    Args:
        definitions: The mappings there are, as JSON values with a ``uuid``; ``enabled`` says
            which of them to run.
        tell: Told of a mapping's uuid and its latest result.
    """

    def __init__(
        self,
        definitions: Callable[[], list[dict[str, Any]]],
        tell: Callable[[str, str], None],
    ) -> None:
        self._definitions = definitions
        self._tell = tell
        self._reports: dict[str, dict[str, Any]] = {}
        #: Whether somebody has said that there will be something to run.
        self.expected = False

    def any_wanted(self) -> bool:
        """Whether there is something to run, or soon will be."""
        return self.expected or any(each["enabled"] for each in self._definitions())

    def runs(self, uuid: str) -> bool:
        """Whether this mapping has been seen running."""
        return self._reports.get(uuid, {}).get("state") == "running"

    async def wanted(self, seen: str | None) -> dict[str, Any]:
        """The mappings to run, once they differ from those ``seen``, or after a while anyway."""
        deadline = asyncio.get_running_loop().time() + _ANSWER_AFTER_S
        while True:
            wanted = [each for each in self._definitions() if each["enabled"]]
            now = json.dumps(wanted, sort_keys=True)
            if now != seen or asyncio.get_running_loop().time() >= deadline:
                return {"seen": now, "mappings": wanted}
            await asyncio.sleep(_LOOK_EVERY_S)

    def report(self, reports: dict[str, dict[str, Any]]) -> None:
        """Take what is new of the mappings that run, by uuid."""
        for uuid, report in reports.items():
            self._reports[uuid] = report
            if result := report.get("result"):
                self._tell(uuid, result)

    def mappings(self) -> list[dict[str, Any]]:
        """Every mapping with what is known of it."""
        definitions = self._definitions()
        known = {each["uuid"] for each in definitions}
        self._reports = {uuid: each for uuid, each in self._reports.items() if uuid in known}
        idle = {"state": "starting", "shards": [], "last_outcome": "", "reason": ""}
        return [
            each
            | (self._reports.get(each["uuid"], idle) if each["enabled"] else idle)
            | ({} if each["enabled"] else {"state": "disabled"})
            for each in definitions
        ]
