"""What the local cloud asks and tells below ``/_clew/``: JSON over HTTP, on loopback alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from clew.localcloud.seam.fault_rules import BadRuleError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from clew.localcloud.seam.fault_rules import Faults
    from clew.localcloud.seam.mapping_board import MappingBoard

FAULTS = "/_clew/faults"
MAPPINGS = "/_clew/mappings"
SOON = "/_clew/mappings/soon"
WANTED = "/_clew/mappings/wanted"
RUN = "/_clew/run"


class Control:
    """Answers the requests."""

    def __init__(self, faults: Faults, board: MappingBoard, run: str = "") -> None:
        self._run = run  # what whoever started this one knows it by
        self._faults = faults
        self._board = board
        self._ways: dict[tuple[str, str], Callable[[dict[str, Any]], Awaitable[Any]]] = {
            ("GET", FAULTS): self._list_faults,
            ("POST", FAULTS): self._add_fault,
            ("DELETE", FAULTS): self._clear_faults,
            ("GET", MAPPINGS): self._list_mappings,
            ("POST", MAPPINGS): self._report_mappings,
            ("POST", SOON): self._expect_mappings,
            ("POST", WANTED): self._wanted_mappings,
            ("GET", RUN): self._which_run,
        }

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """The status, and an answer that JSON can say."""
        way = self._ways.get((method, path))
        if way is None:
            return 404, {"error": f"There is no {method} {path}."}
        try:
            return 200, await way(json.loads(body) if body else {})
        except BadRuleError as error:
            return 400, {"error": str(error)}

    async def _list_faults(self, _given: dict[str, Any]) -> Any:
        return [rule.facts() for rule in self._faults.rules()]

    async def _add_fault(self, given: dict[str, Any]) -> Any:
        return self._faults.add(given).facts()

    async def _clear_faults(self, given: dict[str, Any]) -> Any:
        return {"cleared": self._faults.clear(given.get("id"))}

    async def _list_mappings(self, _given: dict[str, Any]) -> Any:
        return self._board.mappings()

    async def _report_mappings(self, given: dict[str, Any]) -> Any:
        self._board.report(given)
        return {}

    async def _expect_mappings(self, _given: dict[str, Any]) -> Any:
        self._board.expected = True
        return {}

    async def _wanted_mappings(self, given: dict[str, Any]) -> Any:
        return await self._board.wanted(given.get("seen"))

    async def _which_run(self, _given: dict[str, Any]) -> Any:
        return {"run": self._run}
