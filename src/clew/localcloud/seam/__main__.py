"""``python -m clew.localcloud.seam``: the emulator, with what clew adds to it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud.seam.shard_meter import ShardMeter

_NAMESPACE = "AWS/Kinesis"
_LOOK_EVERY_S = 0.1
_EVALUATE_EVERY_S = 10.0

_log = logging.getLogger("clew")


def main() -> None:
    """Serve until the process is ended. The emulator is configured by its environment."""
    options = _options()
    import ministack.app as emulator

    from clew.localcloud.seam import (
        alarms,
        aliases,
        expiry,
        function_logs,
        function_urls,
        handler_errors,
        mappings,
        shard_changes,
        shard_traffic,
    )
    from clew.localcloud.seam.control import Control
    from clew.localcloud.seam.fault_rules import Faults
    from clew.localcloud.seam.layer import Layer
    from clew.localcloud.seam.mapping_board import MappingBoard
    from clew.localcloud.seam.shard_meter import ShardMeter
    from clew.localcloud.seam.waiting import until_there_is_something

    meter, faults = ShardMeter(), Faults()
    board = MappingBoard(mappings.definitions, mappings.tell)
    aliases.install()
    alarms.install()
    expiry.install()
    function_logs.install()
    function_urls.install()
    handler_errors.install()
    mappings.install(board.runs)
    shard_changes.install()
    shard_traffic.install(meter, enforce_limits=options.enforce_limits)
    runner = mappings.Runner(_runner_arguments(options), board.any_wanted)

    async def background() -> None:
        await _background(meter, options.metrics_period, runner.look)

    control = Control(faults, board, options.run)
    emulator.app = Layer(emulator.app, faults, control, background, until_there_is_something)
    sys.argv = ["ministack"]  # its own arguments: none
    emulator.main()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m clew.localcloud.seam")
    parser.add_argument("--run", default="")
    parser.add_argument("--enforce-limits", action="store_true")
    parser.add_argument("--metrics-period", type=float, default=60.0)
    return parser.parse_args()


def _runner_arguments(options: argparse.Namespace) -> list[str]:
    port = os.environ["GATEWAY_PORT"]
    return [port] + (["--enforce-limits"] if options.enforce_limits else [])


async def _background(meter: ShardMeter, period_s: float, look: Callable[[], None]) -> None:
    """Publish what was metered, look at the alarms, and keep the mappings running."""
    published = evaluated = time.monotonic()
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = time.monotonic()
        try:
            look()
            if now - published >= period_s:
                published = now
                _publish(meter)
            if now - evaluated >= min(period_s, _EVALUATE_EVERY_S):
                evaluated = now
                _evaluate()
        except Exception:  # noqa: BLE001 - the emulator goes on, and the log says what happened
            _log.exception("What clew adds to the emulator failed")


def _publish(meter: ShardMeter) -> None:
    from clew.localcloud.seam import alarms

    for (account, region), data in meter.take().items():
        alarms.put_metrics(account, region, _NAMESPACE, data)


def _evaluate() -> None:
    from clew.localcloud.seam import alarms

    alarms.evaluate_all()


if __name__ == "__main__":
    main()
