"""The demo, kept running with its story as a page."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from clew.localcloud.state import running_clouds

from .test_demo import DEMO, environment

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.local_cloud


def test_it_is_kept_with_the_broken_story_as_a_page(until: Callable[..., Any]) -> None:
    before = {record.name for record in running_clouds()}
    with subprocess.Popen(
        [sys.executable, str(DEMO), "--keep", "--no-browser"],
        env=environment(PYTHONUNBUFFERED="1"),
        cwd=Path(DEMO).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        url = next(
            (line.strip() for line in demo.stdout if line.strip().startswith("http://127.0.0.1:")),
            "",
        )
        assert "/story/" in url, demo.stderr.read()
        page = requests.get(url, timeout=30)
        assert page.status_code == 200
        assert "demo-timeline failed on what demo-api-a sent" in page.text
        below = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGINT)
        rest, errors = demo.stdout.read(), demo.stderr.read()
    assert (demo.returncode, errors) == (0, ""), rest
    assert "The emulator and all that it started have ended." in rest
    until(lambda: not any(process.is_running() for process in below), "every process has ended")
    assert {record.name for record in running_clouds()} == before
