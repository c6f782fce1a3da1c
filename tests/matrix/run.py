"""Send every cell, wait for what arrives, and say what came with it."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import clew

from .cell import ADDED, CHAIN, TEMPLATE, USER_AGENT, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LocalCloud

    from .cell import Cell

    Line = dict[str, Any]

#: What is looked at, in the order of the table's columns.
ASPECTS = ("id", "ids added", "user agent", "DEBUG", "chain length", "span joined")
TIMEOUT_S = 40.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """What of one cell arrived; ``said`` is what the function logged, for whoever looks why."""

    cell: Cell
    arrived: dict[str, bool]
    said: tuple[Line, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything did."""
        return all(self.arrived.values())


def run(cloud: LocalCloud, cells: list[Cell], timeout_s: float = TIMEOUT_S) -> list[Result]:
    """Deploy the template, send every cell, and wait until all have arrived, or too long."""
    world = World(cloud, cloud.deploy(TEMPLATE, "matrix"))
    _register_target(world)
    with _forwarding(world):
        sent = {cell.id: _send(cell, world) for cell in cells}
    deadline = time.monotonic() + timeout_s
    while True:
        lines = _lines(world)
        results = [_result(cell, sent[cell.id], lines.get(cell.id, [])) for cell in cells]
        if all(result.whole for result in results) or time.monotonic() > deadline:
            return results
        time.sleep(_POLL_S)


def _register_target(world: World) -> None:
    """The emulator's CloudFormation leaves the targets of a group out."""
    function = world.client("lambda").get_function(FunctionName=world["Receive"])
    world.client("elbv2").register_targets(
        TargetGroupArn=world["BalancerTarget"],
        Targets=[{"Id": function["Configuration"]["FunctionArn"]}],
    )


@contextmanager
def _forwarding(world: World) -> Iterator[None]:
    """Everything hooked, the table's items too."""
    before = os.environ.get("CLEW_FORWARD_TABLES")
    os.environ["CLEW_FORWARD_TABLES"] = world["Items"]
    clew.instrument()
    try:
        yield
    finally:
        clew.uninstrument()
        del os.environ["CLEW_FORWARD_TABLES"]
        if before is not None:
            os.environ["CLEW_FORWARD_TABLES"] = before


def _send(cell: Cell, world: World) -> set[str]:
    """The spans of what was sent."""
    correlation = cell.correlation()
    assert correlation.invocation is not None
    with clew.use(correlation):
        cell.send(world)
    return {one.span_id for one in correlation.invocation.sent if one.carried}


def _lines(world: World) -> dict[str, list[Line]]:
    """Every line of the functions, by the id that it has."""
    found: dict[str, list[Line]] = {}
    for function in world.stack.functions.values():
        for line in world.cloud.log_lines(function):
            if line.message.startswith("{"):
                parsed = json.loads(line.message)
                found.setdefault(parsed.get("x-correlation-id", ""), []).append(parsed)
    return found


def _result(cell: Cell, sent: set[str], lines: list[Line]) -> Result:
    received = [line for line in lines if line["message"] == "received"]
    spans = sent | {one["span"] for line in lines for one in line.get("sent", ())}
    parents = {line.get("parentSpanId") for line in lines if line["message"] == "invocation"}
    parents |= {line.get("parentSpanId") for line in received}
    chain = str(CHAIN + cell.hops)
    whole = bool(received) and len(received) >= len(sent)
    arrived = {
        "id": whole and {line["source"] for line in received} == {cell.source},
        "ids added": _all_have(received, ADDED),
        "user agent": _all_have(received, {"user-agent": USER_AGENT}),
        "DEBUG": sum(line["message"] == "in detail" for line in lines) == len(received) > 0,
        "chain length": _all_have(received, {"call-chain-length": chain}),
        "span joined": whole and parents - {None} == spans if sent else _joined(received),
    }
    return Result(cell, arrived, tuple(lines))


def _all_have(lines: list[Line], fields: dict[str, str]) -> bool:
    return bool(lines) and all(line.items() >= fields.items() for line in lines)


def _joined(received: list[Line]) -> bool:
    """Of what was stamped by hand, nobody noted the span: the receiver has one for its parent."""
    parents = [line.get("parentSpanId") for line in received]
    return bool(parents) and None not in parents and len(set(parents)) == len(parents)
