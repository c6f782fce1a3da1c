"""The demo as a person runs it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from clew.localcloud.state import running_clouds

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.local_cloud

DEMO = Path(__file__).parents[2] / "examples" / "correlation" / "demo.py"


def environment(**more: str) -> dict[str, str]:
    """That of this process, as far as output goes its own."""
    inherited = {name: os.environ[name] for name in os.environ if name not in ("FORCE_COLOR",)}
    return {**inherited, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80", **more}


def debug_lines(story: str) -> int:
    """How many DEBUG lines a story has, as it is drawn."""
    return len(re.findall(r"^\W+DEBUG  ", story, re.MULTILINE))


def test_it_shows_three_stories_and_leaves_nothing_running() -> None:
    before = {record.name for record in running_clouds()}
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        env=environment(),
        cwd=DEMO.parents[2],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-3000:]
    said = done.stdout
    assert "\x1b" not in said, "it is piped, so there are no colours"
    for head in ("1. One request", "2. The same, with DEBUG", "3. A request that breaks"):
        assert head in said
    story_ids = re.findall(r"^Story of (\S+)$", said, re.MULTILINE)
    assert len(set(story_ids)) == 3
    for story_id in story_ids:
        assert f"Answered 202, x-correlation-id: {story_id}" in said
        assert f"clew story {story_id[:8]}" in said
    first, second, third = (part.split("✓")[0] for part in said.split("\nStory of ")[1:])
    assert debug_lines(first) == 0
    assert debug_lines(second) >= 7
    assert debug_lines(third) == third.count("(flight") == 5
    assert "BREAK  failed: AttributeError: 'NoneType'" in third
    assert re.search(r"^BREAK  demo-timeline failed on what demo-api-a sent", third, re.MULTILINE)
    too_wide = [line for line in said.splitlines() if len(line) > 80]
    assert not too_wide
    assert {record.name for record in running_clouds()} == before


def test_it_fails_with_a_sentence_when_something_is_not_as_told(tmp_path: Path) -> None:
    example = tmp_path / "correlation"
    shutil.copytree(DEMO.parent, example)
    shutil.copy(DEMO.parents[1] / "narrator.py", tmp_path)
    function = example / "src" / "notify.py"
    source = function.read_text("utf-8")
    assert source.count("    clew.bind(") == 1
    function.write_text(source.replace("    clew.bind(", "    dict("), "utf-8")
    done = subprocess.run(
        [sys.executable, str(example / DEMO.name)],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    told = "demo: this did not come out as told: What a function adds"
    assert done.stderr.startswith(told), done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_it_is_interrupted(
    signum: signal.Signals, until: Callable[..., Any]
) -> None:
    with subprocess.Popen(
        [sys.executable, str(DEMO)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        for line in demo.stdout:
            if line.startswith("Story of"):
                break
        below = psutil.Process(demo.pid).children(recursive=True)
        assert len(below) >= 3, "the guard, the emulator and the functions"
        demo.send_signal(signum)
        shown = demo.stdout.read()
        said = demo.stderr.read()
    assert demo.returncode == 128 + signum, shown + said
    assert said.endswith("demo: ended early; nothing is left running.\n")
    until(lambda: not any(process.is_running() for process in below), "every process has ended")
