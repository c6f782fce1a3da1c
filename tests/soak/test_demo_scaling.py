"""``make demo-scaling`` as a whole: it checks what it tells, and takes five minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "scaling" / "demo.py"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_demo_of_scaling_tells_the_truth() -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)], capture_output=True, encoding="utf-8", check=False
    )

    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Each was read once, and those of each meter in their order." in said
    assert "splitting cannot help" in said
