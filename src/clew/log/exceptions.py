"""An exception as the ``exception`` field: what it is, where it was raised, and what led to it.

A module of its own, since `traceback` costs a cold start and only a failure needs it.
"""

from __future__ import annotations

from traceback import format_exception_only, format_tb

from clew.log.encode import as_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

#: Lines of a stack that are kept at each of its ends: of the exception itself, and of the others.
MAX_STACK = 50
MAX_STACK_OF_OTHERS = 10
#: Of a text, and of each line of a stack, so much is kept (characters).
MAX_ERROR = 8_000
MAX_ERROR_OF_OTHERS = 1_000
MAX_STACK_LINE = 300
#: Exceptions that are described with one: causes of causes, and members of groups.
MAX_OTHERS = 12
MAX_MEMBERS = 8


def described(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> dict[str, Any]:
    """``type``, ``message`` and ``stack`` (outermost first) of an exception, and what led to it.

    ``cause`` is the one that it was raised from, ``context`` the one that was being handled (as
    Python shows one of them), ``exceptions`` the members of a group; each is described alike, but
    shorter, and there are at most 12 in all. Never raises.
    """
    found = _own(kind, error, traceback, MAX_STACK, MAX_ERROR)
    try:
        _add_others(found, error, {id(error)})
    except Exception:  # noqa: BLE001  (an exception's own members may raise)
        found.pop("exceptions", None)
    return found


def _own(
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
    lines: int,
    text: int,
) -> dict[str, Any]:
    try:
        shown = format_tb(traceback) + format_exception_only(kind, error)
        if traceback is not None:
            shown.insert(0, "Traceback (most recent call last):\n")
        stack = [line[:MAX_STACK_LINE] for line in "".join(shown).splitlines()]
    except Exception:  # noqa: BLE001  (an exception's own __str__ may raise)
        stack = []
    if len(stack) > lines * 2:
        stack = [*stack[:lines], f"… {len(stack) - lines * 2} lines …", *stack[-lines:]]
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    return {"type": name, "message": as_text(error)[:text], "stack": stack}


def _add_others(found: dict[str, Any], error: BaseException, seen: set[int]) -> None:
    """Add to ``found`` what led to ``error``; ``seen`` are those that are described already."""
    before, name = error.__cause__, "cause"
    if before is None and not error.__suppress_context__:
        before, name = error.__context__, "context"
    if before is not None:
        other = _other(before, seen)
        if other is not None:
            found[name] = other
    if isinstance(error, BaseExceptionGroup):
        shown = [_other(member, seen) for member in error.exceptions[:MAX_MEMBERS]]
        found["exceptions"] = [member for member in shown if member is not None]
        if len(error.exceptions) > len(found["exceptions"]):
            found["members"] = len(error.exceptions)


def _other(error: BaseException, seen: set[int]) -> dict[str, Any] | None:
    """One that led to another; None where there are enough, or it is there already."""
    if id(error) in seen or len(seen) > MAX_OTHERS:
        return None
    seen.add(id(error))
    kind, traceback = type(error), error.__traceback__
    found = _own(kind, error, traceback, MAX_STACK_OF_OTHERS, MAX_ERROR_OF_OTHERS)
    _add_others(found, error, seen)
    return found
