"""Runs the scripts of this folder by Node, with the packages of the lock file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: Where the packages are kept, by what the lock file says. Ignored by git.
CACHE = HERE.parents[1] / ".clew" / "node"
_MANIFESTS = ("package.json", "package-lock.json")
_INSTALL_TIMEOUT_S = 150


class NodeIsMissingError(Exception):
    """Why the scripts cannot be run here."""


class Node:
    """Node with the packages installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def ready(cls) -> Node:
        """Install the packages, if they are not here yet.

        Raises:
            NodeIsMissingError: Node or npm is not here, or npm could not install; it says why.
        """
        missing = [program for program in ("node", "npm") if shutil.which(program) is None]
        if missing:
            message = f"not installed: {', '.join(missing)}"
            raise NodeIsMissingError(message)
        pinned = b"".join((HERE / name).read_bytes() for name in _MANIFESTS)
        folder = CACHE / hashlib.sha256(pinned).hexdigest()[:12]
        if not folder.is_dir():
            _install(folder)
        return cls(folder)

    def run(self, script: str, given: Any) -> Any:
        """What ``script`` prints, a JSON value, with ``given`` on its stdin."""
        done = subprocess.run(
            ["node", str(HERE / script)],
            input=json.dumps(given),
            env={**os.environ, "NODE_PATH": str(self._folder / "node_modules")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        # The library's own logger writes to stdout too, line by line.
        return json.loads(done.stdout.splitlines()[-1])


def _install(folder: Path) -> None:
    """Aside, and then renamed: what was interrupted does not look finished."""
    aside = folder.with_name(f"{folder.name}-{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        for name in _MANIFESTS:
            shutil.copy(HERE / name, aside)
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=aside,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason"]
            message = f"npm ci failed: {said[0]}"
            raise NodeIsMissingError(message)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another run has just put the same there
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
