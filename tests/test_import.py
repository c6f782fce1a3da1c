"""What clew costs a cold start: nothing heavy is imported, and nothing that it does not ship."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import clew

SRC = Path(clew.__file__).parents[1]

#: Modules of the standard library that cost milliseconds, and that no log line needs.
HEAVY = {
    "argparse",
    "ast",
    "asyncio",
    "concurrent.futures",
    "copy",
    "ctypes",
    "dataclasses",
    "decimal",
    "email",
    "hashlib",
    "http.client",
    "importlib.metadata",
    "inspect",
    "multiprocessing",
    "pathlib",
    "pickle",
    "random",
    "selectors",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "typing",
    "unittest",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "zipfile",
}

#: Third-party packages can be imported here, so that a guarded import of one would be seen.
PRELUDE = f"""
import sys
sys.path[:0] = [{str(SRC)!r}, {sysconfig.get_path("purelib")!r}]
import contextvars, datetime, json, logging  # what clew builds on
before = set(sys.modules)
"""
EPILOGUE = """
import os
os.write(2, json.dumps(sorted(set(sys.modules) - before)).encode())
"""

IMPORT = "import clew"
LOGGER = "import clew; clew.get_logger('app').info('hello', extra={'a': {'b': 1}})"
HANDLERS = """
import clew
log = clew.get_logger("app")

@clew.api_handler(debug_sample_rate=0.5)
def edge(event, context):
    clew.bind(user_id=42)
    log.debug("held or written")
    return {"statusCode": 200}

@clew.sns_handler
def message(record):
    log.info(record.payload, extra=record.attributes)

@clew.kinesis_handler(on_failure=clew.skip())
def each(record):
    log.info("each", extra={"payload": record.payload})

@clew.handler
def plain(event, context):
    log.info("plain")

for event in EVENTS:
    edge(event, None)
    plain(event, None)
message(SNS, None)
each(KINESIS, None)
"""
SNS = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "a", "MessageAttributes": {}}}]}
KINESIS = {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}}]}
EVENTS = [
    {"httpMethod": "GET", "resource": "/", "requestContext": {"requestId": "a"}, "headers": None},
    {"version": "2.0", "requestContext": {"http": {}, "requestId": "a"}, "headers": {}},
    {"a": 1, "__context": {"x-correlation-id": "a"}},
    {"a": 1},
    SNS,
    KINESIS,
]


def imported_by(program: str) -> set[str]:
    """The modules that ``program`` imports in an interpreter of its own, without any ``site``."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PRELUDE + program + EPILOGUE],
        capture_output=True,
        timeout=60,
        check=False,
    )
    try:
        found: list[str] = json.loads(done.stderr)
    except ValueError:
        pytest.fail(done.stderr.decode())
    assert done.returncode == 0
    return set(found)


@pytest.mark.parametrize(
    "program",
    [IMPORT, LOGGER, f"SNS, KINESIS, EVENTS = {(SNS, KINESIS, EVENTS)!r}\n{HANDLERS}"],
    ids=["import", "logger", "handlers"],
)
def test_nothing_heavy_is_imported(program: str) -> None:
    found = imported_by(program)
    assert {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names} == {
        name for name in found if name.partition(".")[0] == "clew"
    }
    assert not found & HEAVY


def test_importing_clew_imports_none_of_its_rooms() -> None:
    assert {name for name in imported_by(IMPORT) if name.startswith("clew")} == {"clew"}


def test_every_public_name_is_there_and_listed() -> None:
    assert set(clew.__all__) == set(dir(clew))
    for name in clew.__all__:
        assert getattr(clew, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(clew, "nothing")  # noqa: B009
