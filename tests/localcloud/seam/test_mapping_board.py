"""The board says what to run, and how what runs is doing."""

from __future__ import annotations

import asyncio
from typing import Any

from clew.localcloud.seam.mapping_board import MappingBoard


def _mapping(uuid: str, *, enabled: bool = True) -> dict[str, Any]:
    return {"uuid": uuid, "enabled": enabled}


def _board(definitions: list[dict[str, Any]]) -> tuple[MappingBoard, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return MappingBoard(lambda: definitions, lambda *what: told.append(what)), told


def test_only_enabled_mappings_are_wanted() -> None:
    definitions = [_mapping("a"), _mapping("b", enabled=False)]
    board, _ = _board(definitions)
    assert board.any_wanted()
    wanted = asyncio.run(board.wanted(None))
    assert [each["uuid"] for each in wanted["mappings"]] == ["a"]
    definitions[0]["enabled"] = False
    assert not board.any_wanted()


def test_who_has_seen_it_all_is_answered_when_something_changes() -> None:
    definitions = [_mapping("a")]
    board, _ = _board(definitions)

    async def go() -> list[str]:
        seen = (await board.wanted(None))["seen"]
        waiting = asyncio.create_task(board.wanted(seen))
        await asyncio.sleep(0)
        assert not waiting.done()
        definitions.append(_mapping("b"))
        answer = await asyncio.wait_for(waiting, 10)
        return [each["uuid"] for each in answer["mappings"]]

    assert asyncio.run(go()) == ["a", "b"]


def test_reports_stand_beside_what_they_are_about() -> None:
    definitions = [_mapping("a"), _mapping("b"), _mapping("c", enabled=False)]
    board, told = _board(definitions)
    report = {
        "state": "running",
        "shards": [],
        "last_outcome": "1 record done",
        "result": "OK",
        "reason": "",
    }
    board.report({"a": report, "gone": report})
    states = {each["uuid"]: each["state"] for each in board.mappings()}
    assert states == {"a": "running", "b": "starting", "c": "disabled"}
    assert ("a", "OK") in told
    assert board.runs("a")
    assert not board.runs("b")
    definitions.pop(0)
    assert [each["uuid"] for each in board.mappings()] == ["b", "c"]
