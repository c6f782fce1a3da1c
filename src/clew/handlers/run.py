"""The life of one invocation, the same for every handler.

The user's own exception always comes out unchanged; a failure of clew's never does.
"""

from __future__ import annotations

import time

from clew.capture import Delivery, open_delivery
from clew.correlation import NONE, reset_current, set_current, use
from clew.errors import ClewError
from clew.invocation import Invocation, Received
from clew.log.internal import failed, warn
from clew.log.recorder import write_event, write_held
from clew.log.wide import write_invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def check_rate(debug_sample_rate: float) -> float:
    """The rate, if it is a share of 0 to 1; `ClewError` at import time if it is not."""
    number = isinstance(debug_sample_rate, int | float) and not isinstance(debug_sample_rate, bool)
    if not number or not 0 <= debug_sample_rate <= 1:
        message = (
            f"debug_sample_rate has to be a share from 0 to 1 (0.05 for 5 %), "
            f"not {debug_sample_rate!r}."
        )
        raise ClewError(message)
    return float(debug_sample_rate)


def prepare() -> None:
    """What every decorated function needs once: the log handler and the outgoing hooks."""
    try:
        from clew.forward import instrument
        from clew.log.logger import install

        install()
        instrument()
    except Exception:  # noqa: BLE001  (a function that cannot be instrumented still runs)
        failed("preparing a handler")


def run(
    event: Any,
    context: Any,
    body: Callable[[Delivery], Any],
    *,
    debug_sample_rate: float = 0.0,
    received_by_body: bool = False,
) -> Any:
    """Run ``body`` under the correlation that ``event`` brought, and write the wide line after it.

    ``received_by_body`` says that ``body`` notes its records itself. Raises what ``body`` raises.
    """
    delivery = _open(event, context, debug_sample_rate)
    invocation, correlation = delivery.invocation, delivery.correlation
    if not received_by_body:
        invocation.received.extend(_received(delivery))
    token = set_current(correlation)
    error: BaseException | None = None
    try:
        return body(delivery)
    except BaseException as raised:
        error = raised
        raise
    finally:
        _close(delivery, error, received_by_body=received_by_body)
        reset_current(token)


def attempt(received: Received, call: Callable[[], Any]) -> Any:
    """Call ``call`` for one record under its correlation, and note what became of it."""
    received.attempts += 1
    started = time.perf_counter()
    try:
        with use(received.correlation):
            result = call()
    except BaseException as error:
        received.outcome = "failed"
        received.error = _say(error)
        raise
    else:
        received.outcome = "done"
        return result
    finally:
        received.ms += (time.perf_counter() - started) * 1000


def _open(event: Any, context: Any, debug_sample_rate: float) -> Delivery:
    """Capture; where even that fails, an empty correlation and the event as it came."""
    token = set_current(NONE)  # nothing of the last invocation may be left
    try:
        delivery = open_delivery(event, context, debug_sample_rate)
        with use(delivery.correlation):
            dropped = delivery.dropped + sum(record.dropped for record in delivery.records)
            if delivery.problem or dropped:
                warn(
                    "what came in could not all be read",
                    problem=delivery.problem or None,
                    dropped=dropped,
                )
    except Exception:  # noqa: BLE001  (capture never breaks the request)
        failed("capturing an event")
        delivery = Delivery(
            source="unknown",
            event=event,
            correlation=NONE,
            records=[],
            invocation=Invocation("unknown", event, context),
        )
    finally:
        reset_current(token)
    return delivery


def _received(delivery: Delivery) -> list[Received]:
    """An entry per record, or one for an event that is not a batch."""
    if delivery.records:
        return [Received(record.correlation, record.position) for record in delivery.records]
    return [Received(delivery.correlation, {})]


def _close(delivery: Delivery, error: BaseException | None, *, received_by_body: bool) -> None:
    """Write what the invocation came to. Never raises."""
    invocation, correlation = delivery.invocation, delivery.correlation
    try:
        if not received_by_body:
            _note_outcome(invocation, error)
        if error is not None:
            write_held(invocation)
            write_event(invocation.event, correlation)
        write_invocation(invocation, correlation, error)
    except Exception:  # noqa: BLE001  (the wide line never breaks the request)
        failed("closing an invocation")


def _note_outcome(invocation: Invocation, error: BaseException | None) -> None:
    """One body handled everything that came in: what became of it became of each."""
    ms = (time.perf_counter() - invocation.started) * 1000
    for received in invocation.received:
        received.attempts = 1
        received.ms = ms
        received.outcome = "done" if error is None else "failed"
        received.error = "" if error is None else _say(error)


def _say(error: BaseException) -> str:
    from clew.log.encode import as_text

    return f"{type(error).__name__}: {as_text(error)}"
