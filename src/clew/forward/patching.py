"""Replace a method of a library's class by one of ours, and put it back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: (class, name of the method) -> (its own, ours).
_replaced: dict[tuple[type, str], tuple[Any, Any]] = {}


def replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Set ``owner.name`` (on the class that has it) to ``make(original)``, once."""
    owner = _home(owner, name)
    if (owner, name) in _replaced:
        return  # at most below a replacement that somebody else made since
    original = getattr(owner, name)
    ours = make(original)
    ours.__name__ = original.__name__
    ours.__qualname__ = original.__qualname__
    ours.__doc__ = original.__doc__
    ours.__wrapped__ = original
    _replaced[owner, name] = original, ours
    setattr(owner, name, ours)


def restore(owner: type, name: str) -> None:
    """Undo `replace`; where somebody replaced it again since, both stay."""
    owner = _home(owner, name)
    original, ours = _replaced.get((owner, name), (None, None))
    if ours is not None and vars(owner)[name] is ours:
        setattr(owner, name, original)
        del _replaced[owner, name]


def _home(owner: type, name: str) -> type:
    return next(one for one in owner.__mro__ if name in vars(one))
