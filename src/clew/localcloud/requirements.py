"""Decides whether a function's requirements are here already, and installs them if not."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from clew.localcloud.errors import LocalCloudError

_INSTALL_TIMEOUT_S = 600.0
# The runtime is packed in from source, so that the function runs the clew that deploys it.
_PACKED_IN = "clew"


def logical_lines(text: str) -> list[str]:
    """The entries of a requirements file: comments out, continued lines joined."""
    joined = text.replace("\\\n", " ")
    lines = (line.split(" #", 1)[0].strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def unmet(lines: list[str]) -> list[str]:
    """The entries that the running environment does not satisfy (``clew`` itself never counts).

    Entries that are not plain requirements (options, URLs, paths) always count as unmet, except
    for the hashes of a requirement, which say nothing about what is installed.
    """
    result = []
    for line in lines:
        try:
            requirement = Requirement(line.split(" --hash", 1)[0].strip())
        except InvalidRequirement:
            result.append(line)
            continue
        if canonicalize_name(requirement.name) == _PACKED_IN:
            continue
        if not _is_met(requirement, extra=""):
            result.append(line)
    return result


def _is_met(requirement: Requirement, extra: str) -> bool:
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return True  # it is not asked for on this platform
    if requirement.url:
        return False
    try:
        installed = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    if not requirement.specifier.contains(installed.version, prereleases=True):
        return False
    needs = [Requirement(need) for need in installed.requires or ()]
    return all(
        _is_met(need, extra=wanted)
        for wanted in requirement.extras
        for need in needs
        if need.marker and "extra" in str(need.marker)
    )


def installed_requirements(path: Path) -> Path | None:
    """A folder with what a ``requirements.txt`` asks for, or None if nothing is missing here.

    Folders are kept in the user's cache by the content of the file and the Python version.

    Raises:
        LocalCloudError: pip failed; the message has its last error line.
    """
    lines = logical_lines(path.read_text(encoding="utf-8"))
    if not unmet(lines):
        return None
    wanted = [line for line in lines if not _is_clew(line)]
    key = hashlib.sha256("\n".join([sys.version, sys.platform, *wanted]).encode()).hexdigest()[:24]
    target = _cache_root() / key
    if not target.is_dir():
        _install(path, wanted, target)
    return target


def _is_clew(line: str) -> bool:
    try:
        return canonicalize_name(Requirement(line.split(" --hash", 1)[0].strip()).name) == "clew"
    except InvalidRequirement:
        return False


def _cache_root() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "clew" / "requirements"


def _install(path: Path, wanted: list[str], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Installed aside and then renamed: an interrupted pip leaves nothing that looks finished.
    aside = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        listed = aside / "requirements.txt"
        listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--target", str(aside / "site")]
        command += ["--requirement", str(listed)]
        try:
            done = subprocess.run(  # noqa: S603 - our own command line
                command,
                cwd=path.parent,  # what a line names relatively is relative to the file
                capture_output=True,
                text=True,
                timeout=_INSTALL_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LocalCloudError(
                f"{path}: pip did not finish within {_INSTALL_TIMEOUT_S:g} s; "
                "install the requirements into this environment and try again."
            ) from None
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            errors = [line for line in said if line.startswith("ERROR:")] or said or ["no reason"]
            raise LocalCloudError(
                f"{path}: pip could not install the requirements: "
                f"{errors[-1].removeprefix('ERROR:').strip().rstrip('.')}."
            )
        try:
            (aside / "site").rename(target)
        except OSError:
            if not target.is_dir():  # else another process has just put the same there
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
