"""What goes wrong around a command is one sentence, and a traceback only where it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = Path(__file__).parents[1] / "localcloud" / "templates" / "plain" / "template.yaml"
CLEW = [sys.executable, "-c", "from clew.cli import main; main()"]


@pytest.mark.parametrize("arguments", [["--help"], ["local", "status"], ["sign", "x"]])
def test_output_that_goes_nowhere_is_one_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*CLEW, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "CLEW_SECRET": "a secret of many characters, for a test"},
        )
    assert done.returncode == 1
    assert done.stderr.startswith("clew: No space left on device; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("debug", [False, True])
def test_a_state_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, debug: bool) -> None:
    (tmp_path / "file").write_text("no folder")
    folder = tmp_path / "file" / "clouds"
    done = subprocess.run(
        [*CLEW, "local", "up", str(PLAIN), "--detach", *(["--debug"] if debug else [])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CLEW_STATE_DIR": str(folder)},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"clew: Not a directory: {folder}; ")
    assert ("Traceback" in done.stderr) is debug


def test_an_answer_of_aws_that_nobody_expected_is_one_sentence() -> None:
    code = (
        "import clew.cli.root as root\n"
        "from botocore.exceptions import ClientError\n"
        "def run(arguments):\n"
        "    raise ClientError({'Error': {'Code': 'No', 'Message': 'not\\nnow'}}, 'PutRecord')\n"
        "root.run = run\n"
        "from clew.cli import main; main(['local'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "clew: A call to AWS failed: An error occurred (No) when calling the PutRecord operation: "
        "not now\n"
    )
