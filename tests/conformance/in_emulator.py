"""Runs cases in the emulator's own event source mappings, to see how those differ.

The local cloud replaces them. Here the emulator runs bare, as its makers ship it.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from botocore.exceptions import ClientError

from clew.localcloud.emulator import answers, free_port
from clew.localcloud.environment import emulator_environment
from clew.localcloud.session import LoopbackSession

from .contract import difference
from .function import LAMBDA_CODE, CaseFunction, FunctionServer
from .stage import Stage, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .contract import Case

_REGION = "us-east-1"
_READY_S = 30.0
_PATIENCE_S = 15.0
# The emulator fixes what "latest" means up to a second after a mapping is made.
_BEGUN_S = 2.0
_AGE_S = 2
_AT_ONCE = 8


def run_in_emulator(cases: Sequence[Case]) -> dict[str, str]:
    """Play the cases; by their names, how each differs from the documentation."""
    found: dict[str, str] = {}
    with _bare_emulator() as session, FunctionServer() as server:
        client: Any = session.client("lambda")
        # One thread of the emulator runs all its mappings, so only a few are given to it at once.
        for at in range(0, len(cases), _AT_ONCE):
            stages = [Stage(session, case) for case in cases[at : at + _AT_ONCE]]
            threads = [
                threading.Thread(target=_play, args=(client, stage, server, found))
                for stage in stages
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    return found


def _play(client: Any, stage: Stage, server: FunctionServer, found: dict[str, str]) -> None:
    name = stage.case.name
    try:
        mapping = _begin(client, stage, server)
    except ClientError as error:
        found[name] = f"the mapping is refused: {error}"
        return
    _follow(client, stage, server.functions[stage.name])
    found[name] = difference(stage.seen)
    client.delete_event_source_mapping(UUID=mapping)


def _begin(client: Any, stage: Stage, server: FunctionServer) -> str:
    stage.put(stage.case.records)
    server.functions[stage.name] = CaseFunction(stage.seen)
    client.create_function(
        FunctionName=stage.name,
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Role="arn:aws:iam::000000000000:role/function",
        Handler="function.handler",
        Code={"ZipFile": _zipped(LAMBDA_CODE)},
        Environment={"Variables": {"ASK": server.url(stage.name)}},
        Timeout=30,
    )
    if stage.case.throttled:
        client.put_function_concurrency(FunctionName=stage.name, ReservedConcurrentExecutions=0)
    properties = dict(stage.properties)
    if stage.case.ahead_s and "MaximumRecordAgeInSeconds" in properties:
        properties["MaximumRecordAgeInSeconds"] = _AGE_S
    mapping = client.create_event_source_mapping(FunctionName=stage.name, **properties)
    uuid: str = mapping["UUID"]
    return uuid


def _follow(client: Any, stage: Stage, function: CaseFunction) -> None:
    """Let a case play until it is as documented, or it had its time."""
    case = stage.case
    if case.throttled:
        time.sleep(_BEGUN_S)
        client.delete_function_concurrency(FunctionName=stage.name)
    if case.later:
        if case.split:
            wait_for(function.failed.is_set, _PATIENCE_S)
        else:
            time.sleep(_BEGUN_S)
        stage.put_later()

    def done() -> bool:
        stage.hear()
        return not difference(stage.seen)

    wait_for(done, _PATIENCE_S)
    # What comes that should not come: there is no other sign of the end.
    time.sleep(1.0)
    stage.hear()


def _zipped(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("function.py", code)
    return buffer.getvalue()


@contextlib.contextmanager
def _bare_emulator() -> Iterator[LoopbackSession]:
    """The emulator without anything of clew's."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        work_dir = Path(directory)
        (work_dir / "tmp").mkdir()
        environment = emulator_environment(
            os.environ, work_dir=work_dir, port=port, region=_REGION, log_level="WARNING"
        )
        with subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=work_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                assert wait_for(lambda: answers(port), _READY_S), "the emulator does not answer"
                yield LoopbackSession(f"http://127.0.0.1:{port}", _REGION)
            finally:
                below = psutil.Process(process.pid).children(recursive=True)
                process.terminate()
                psutil.wait_procs([psutil.Process(process.pid)], timeout=10)
                for each in below:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.kill()
