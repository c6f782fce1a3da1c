"""A handler for any event: the source is found, the event handed over without clew's additions."""

from __future__ import annotations

from functools import wraps

from clew.handlers.functions import check_function
from clew.handlers.run import check_rate, prepare, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    Handler = Callable[[Any, Any], Any]
else:

    def overload(signature):
        """At run time nothing; `typing` would cost a cold start."""
        return signature


@overload
def handler(function: Handler, /) -> Handler: ...
@overload
def handler(*, debug_sample_rate: float = 0.0) -> Callable[[Handler], Handler]: ...


def handler(function: Any = None, /, *, debug_sample_rate: float = 0.0) -> Any:
    """Decorate a Lambda handler ``(event, context)`` of any event source.

    The correlation that came with the event is in force while it runs; a batch of several
    records has one of its own, and `clew.capture` gives each record's. What the function raises
    comes out unchanged. A call chain that goes in a circle raises `LoopDetected` before it is
    called.

    ``debug_sample_rate`` is the share (0 to 1) of call chains to log at DEBUG, asked only where
    no decision came in. Raises `ClewError`, when decorating, if it is no such share.

    >>> import clew
    >>> @clew.handler
    ... def function(event, context):
    ...     return clew.current().id
    """
    rate = check_rate(debug_sample_rate)

    def decorate(wrapped: Handler) -> Handler:
        check_function(wrapped)
        prepare()

        @wraps(wrapped)
        def invoke(event: Any, context: Any) -> Any:
            return run(
                event,
                context,
                lambda delivery: wrapped(delivery.event, context),
                debug_sample_rate=rate,
            )

        return invoke

    return decorate if function is None else decorate(function)
