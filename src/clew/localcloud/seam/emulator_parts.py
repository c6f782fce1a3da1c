"""Puts functions around the emulator's own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def around(module: ModuleType, name: str, outer: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``outer(original, *args)`` answer wherever the emulator calls ``module.name(*args)``.

    Returns:
        The original.

    Raises:
        SystemExit: The emulator has no such function, so it is not the version that clew is
            written for.
    """
    original = getattr(module, name, None)
    if not callable(original):
        message = f"{module.__name__} has no function {name}: this is another version of ministack."
        raise SystemExit(message)
    setattr(module, name, functools.wraps(original)(functools.partial(outer, original)))
    function: Callable[..., Any] = original
    return function
