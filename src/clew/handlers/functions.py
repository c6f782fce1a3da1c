"""What may be decorated: a function that does its work when it is called."""

from __future__ import annotations

from functools import wraps

from clew.errors import ClewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Maker = TypeVar("Maker", bound=Callable[..., Any])

#: How it was compiled (Python reference, "Code objects"). `inspect` would cost a cold start.
_CO_GENERATOR, _CO_COROUTINE, _CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200


def check_function(function: Any, *, awaits: bool = False) -> None:
    """Raise `ClewError` where ``function`` is none, or would do nothing when it is called.

    ``awaits`` says that the handler awaits a coroutine function.
    """
    if not callable(function):
        message = f"A handler decorates a function, not {function!r}."
        raise ClewError(message)
    flags = _flags(function)
    name = getattr(function, "__qualname__", None) or repr(function)
    if flags & (_CO_GENERATOR | _CO_ASYNC_GENERATOR):
        message = (
            f"{name} is a generator function: nothing would run it. "
            "Return what it yields, a list for example."
        )
        raise ClewError(message)
    if flags & _CO_COROUTINE and not awaits:
        message = (
            f"{name} is a coroutine function (async def), which nothing would await here. "
            "Decorate a plain function that calls asyncio.run."
        )
        raise ClewError(message)


def is_async(function: Any) -> bool:
    """Whether calling ``function`` gives a coroutine."""
    return bool(_flags(function) & _CO_COROUTINE)


def takes_options(maker: Maker) -> Maker:
    """Say in one sentence what is missing where a decorator of options is used without any."""

    @wraps(maker)
    def checked(*functions: Any, **options: Any) -> Any:
        if functions:
            name = maker.__name__
            message = (
                f"@clew.{name} needs to know what a record that fails does: "
                f"write @clew.{name}(on_failure=clew.halt()), or clew.skip() in its place."
            )
            raise ClewError(message)
        return maker(**options)

    return checked  # type: ignore[return-value]


def _flags(function: Any) -> int:
    while hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
        function = function.func
    call = getattr(type(function), "__call__", None)  # noqa: B004  (of an object, its own)
    found = getattr(function, "__code__", None) or getattr(call, "__code__", None)
    flags: int = getattr(found, "co_flags", 0)
    return flags
