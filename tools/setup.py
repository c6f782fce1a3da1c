"""Build the checkout's own virtual environment from pinned requirements, and say how far it is.

Usage: ``python3 tools/setup.py VENV REQUIREMENTS``. Standard library only: it runs before anything
is installed.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

MINIMUM = (3, 11)


def main(arguments: list[str]) -> int:
    """Make or complete VENV, so that it holds REQUIREMENTS and this checkout."""
    if sys.version_info < MINIMUM:
        have = ".".join(map(str, sys.version_info[:3]))
        say(f"clew needs Python 3.11 or later, and this is {have}. Try: make PYTHON=python3.12")
        return 1
    folder, requirements = Path(arguments[0]), Path(arguments[1])
    python = folder / "bin" / "python"
    wanted = [line for line in requirements.read_text("utf-8").splitlines() if "==" in line]
    say(f"Setting up {folder} with {len(wanted)} pinned packages (once; about a minute)")
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    if not run([*pip, "--require-hashes", "-r", str(requirements)], total=len(wanted)):
        return 1
    if not run([*pip, "--no-deps", "--no-build-isolation", "--editable", "."], total=1):
        return 1
    say("Set-up done")
    return 0


def run(command: list[str], total: int) -> bool:
    """Run pip, showing one moving line; on failure, print all that it said. True if it worked."""
    said: list[str] = []
    collected = 0
    with subprocess.Popen(  # noqa: S603  (the command is written above)
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # noqa: S101  (for the type checker: PIPE was asked for)
        for line in process.stdout:
            said.append(line)
            if line.startswith("Collecting "):
                collected += 1
                show(f"  {min(collected, total)}/{total} {line.split()[1]}")
            elif line.startswith("Installing collected"):
                show(f"  {total}/{total} installing")
    show("")
    if process.returncode != 0:
        sys.stderr.write("".join(said))
        sys.stderr.write("Set-up failed: the lines above say why. `make clean` starts afresh.\n")
    return process.returncode == 0


def show(text: str) -> None:
    """Write over the current line, where there is a person to see it."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[2K{text[:78]}")
        sys.stdout.flush()


def say(text: str) -> None:
    """Write one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
