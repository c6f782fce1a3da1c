"""The SAM template of the two functions, for a person to deploy."""

from __future__ import annotations

import shutil
from pathlib import Path

from clew.shipping.errors import ShippingError


def write_template(folder: Path, *, force: bool = False) -> None:
    """Copy the template and the function's folder.

    Raises:
        ShippingError: There is something of that name, and ``force`` is not given.
    """
    source = Path(__file__).parent
    there = [folder / name for name in ("template.yaml", "function") if (folder / name).exists()]
    if there and not force:
        raise ShippingError(f"{there[0]} is there already; write over it with --force.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "template.yaml", folder / "template.yaml")
    shutil.copytree(
        source / "function",
        folder / "function",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
