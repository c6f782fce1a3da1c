"""The timeline's demo as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clew.localcloud.state import running_clouds

pytestmark = pytest.mark.local_cloud

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(demo: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in os.environ if name != "FORCE_COLOR"}
    return subprocess.run(
        [sys.executable, str(demo), *arguments],
        env={**inherited, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_it_shows_a_policy_and_leaves_nothing_running() -> None:
    before = {record.name for record in running_clouds()}
    done = run(EXAMPLES / "timeline" / "demo.py", "skip")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "@clew.kinesis_handler(on_failure=clew.skip())" in done.stdout
    assert "✓ The picture is lost, and one ERROR says so under its own id" in done.stdout
    assert not [line for line in done.stdout.splitlines() if len(line) > 80]
    assert {record.name for record in running_clouds()} == before


def test_it_says_which_policies_there_are() -> None:
    done = run(EXAMPLES / "timeline" / "demo.py", "hope")
    assert done.returncode == 1
    assert done.stderr == ("demo: there is no policy hope here; name some of halt, skip, retry.\n")
