"""Puts functions around the emulator's own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def around(owner: ModuleType | type, name: str, outer: Callable[..., Any]) -> None:
    """Let ``outer(original, ...)`` answer wherever the emulator calls ``owner.name(...)``.

    Raises:
        SystemExit: The emulator has no such function, so it is not the version that clew is
            written for.
    """
    original = getattr(owner, name, None)
    if not callable(original):
        message = f"{owner.__name__} has no function {name}: this is another version of ministack."
        raise SystemExit(message)

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return outer(original, *args, **kwargs)

    setattr(owner, name, replacement)
