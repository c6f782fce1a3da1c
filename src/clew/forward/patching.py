"""Replace a method of a library's class by one of ours, and put it back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ORIGINAL = "__clew_original__"


def replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Set ``owner.name`` to ``make(original)``, once."""
    original = getattr(owner, name)
    if hasattr(original, _ORIGINAL):
        return
    replacement = make(original)
    replacement.__name__ = original.__name__
    replacement.__qualname__ = original.__qualname__
    replacement.__doc__ = original.__doc__
    setattr(replacement, _ORIGINAL, original)
    setattr(owner, name, replacement)


def restore(owner: type, name: str) -> None:
    """Undo `replace`; where somebody replaced it again since, theirs stays."""
    original = getattr(getattr(owner, name), _ORIGINAL, None)
    if original is not None:
        setattr(owner, name, original)
