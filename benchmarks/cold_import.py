"""What an import costs a cold start: a fresh process, the bare interpreter subtracted."""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path

import clew
from benchmarks.measure import Result, version

_ROUNDS = 15
_CASES = {
    "bare": "pass",
    "logging": "import logging, json",
    "clew": "import logging, json; import clew; clew.get_logger; clew.handler",
    "peer": "from aws_lambda_powertools import Logger",
}


def run() -> list[Result]:
    """The import that a function does: the logger and a handler.

    Compiled, as the peer is where pip installed it.
    """
    compileall.compile_dir(Path(clew.__file__).parent, quiet=1)
    times: dict[str, list[float]] = {name: [] for name in _CASES}
    for number in range(_ROUNDS + 2):
        for name, code in _CASES.items():
            taken = _process_ms(code)
            if number >= 2:
                times[name].append(taken)
    ms = {name: statistics.median(taken) for name, taken in times.items()}
    ours, peer = ms["clew"] - ms["bare"], ms["peer"] - ms["bare"]
    beyond = statistics.median(
        clew - base for clew, base in zip(times["clew"], times["logging"], strict=True)
    )
    powertools = version("aws-lambda-powertools")
    return [
        Result(
            claim="cold import, the bare interpreter subtracted",
            ours=ours,
            peer=peer,
            peer_name="aws-lambda-powertools",
            peer_version=powertools,
            ratio=ours / peer,
            target=0.45,
            met=ours / peer <= 0.45,
            unit="ms",
        ),
        Result(
            claim="cold import beyond `import logging, json`, in milliseconds",
            ours=beyond,
            peer=ms["logging"] - ms["bare"],
            peer_name="Python",
            peer_version=".".join(map(str, sys.version_info[:3])),
            ratio=beyond,
            target=5.0,
            met=beyond <= 5.0,
            unit="ms",
        ),
    ]


def _process_ms(code: str) -> float:
    """CPU milliseconds of a process that runs ``code``; other processes do not count."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return min(cpu, wall) * 1000
