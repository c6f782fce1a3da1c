"""The life of one invocation, the same for every handler.

The user's own exception always comes out unchanged; a failure of clew's never does.
"""

from __future__ import annotations

import time
from operator import attrgetter

from clew.capture import RECORD_SOURCES, Delivery, open_delivery, unread_records
from clew.capture.receive import fallback_id, receive
from clew.capture.record import Arrival, attach
from clew.correlation import NONE, current, forget_around, reset_current, set_current, use
from clew.errors import ClewError
from clew.handlers.inside import inside
from clew.handlers.loops import answer, limit, stop
from clew.handlers.watch import margin, watch
from clew.invocation import Invocation, Received
from clew.log.internal import failed, warn
from clew.log.wide import FROM, said_of, write_invocation
from clew.wire import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.capture import Record


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
        limit.read()
        margin.read()
        from clew.log.logger import install

        install()
        from clew.forward import instrument

        instrument()
    except Exception:  # noqa: BLE001  (a function that cannot be instrumented still runs)
        failed("preparing a handler")


def run(
    event: Any,
    context: Any,
    body: Callable[[Delivery], Any],
    *,
    debug_sample_rate: float = 0.0,
    records_of: str = "",
    received_by_body: bool = False,
    loops_by_body: bool = False,
    loops_in_turn: bool = False,
) -> Any:
    """Run ``body`` under the correlation that ``event`` brought, and write the wide line after it.

    ``records_of`` names the source whose records ``body`` takes, if it takes any;
    ``received_by_body`` says that it notes their outcomes itself, ``loops_by_body`` that it minds
    ``delivery.loops``, as everything does that takes records; ``loops_in_turn`` that it looks for
    them itself, so that the records need not be opened before. Raises what ``body`` raises, and
    `LoopDetected` before it is called, but for a request, which is answered with 508.
    """
    if not received_by_body and (part := inside(event, context)) is not None:
        return body(part)  # the outer handler says what became of it
    delivery = _open(event, context, debug_sample_rate, records_of)
    token = set_current(delivery.correlation)
    watched = watch(delivery, context)
    error: BaseException | None = None
    try:
        if not (loops_in_turn and delivery.records) and stop(
            delivery, by_body=loops_by_body or records_of != ""
        ):
            received_by_body = True  # it is noted what became of it
            return answer(delivery)
        return body(delivery)
    except BaseException as raised:
        error = raised
        raise
    finally:
        if watched is not None:
            watched.end()
        _close(delivery, error, received_by_body=received_by_body)
        reset_current(token)


def attempt(received: Received | Record, call: Callable[[], Any]) -> Any:
    """Call ``call`` for one record under its correlation, and note what became of it."""
    received.attempts += 1
    started = time.perf_counter()
    try:
        with use(received.correlation):
            result = call()
    except BaseException as error:
        received.outcome = "failed"
        received.error = say(error)
        raise
    else:
        received.outcome = "done"
        return result
    finally:
        received.ms += (time.perf_counter() - started) * 1000


def _open(event: Any, context: Any, debug_sample_rate: float, records_of: str) -> Delivery:
    """Capture, and note what was received; where that fails, the event as it came."""
    token = set_current(NONE)  # nothing of the last invocation may be left
    forget_around()
    try:
        delivery = open_delivery(event, context, debug_sample_rate, records_of=records_of)
        delivery.invocation.received.extend(_received(delivery))
        if len(delivery.records) >= FROM:
            from clew.log.done import Done

            delivery.invocation.done = Done(delivery.records[0].arrival)
        if not delivery.records:  # those are opened when they are asked for
            _warn_of_unread(delivery)
    except Exception:  # noqa: BLE001  (capture never breaks the request)
        failed("capturing an event")
        delivery = _unread(event, context, records_of)
    finally:
        reset_current(token)
    delivery.invocation.delivery = delivery
    return delivery


def _unread(event: Any, context: Any, records_of: str) -> Delivery:
    """The event as it came, under a fresh correlation."""
    invocation = Invocation("unknown", event, context)
    correlation = receive(check(()), fallback_id(invocation.request_id), invocation)
    records = unread_records(event, records_of) if records_of else []
    arrival = Arrival(invocation, correlation.id, 1, 0.0)
    attach(records, arrival)
    delivery = Delivery(
        source="unknown",
        event=event,
        correlation=correlation,
        records=records,
        invocation=invocation,
    )
    invocation.received.extend(_received(delivery))
    return delivery


def _received(delivery: Delivery) -> list[Received | Record]:
    """An entry per record, or one for an event that is not a batch."""
    if delivery.records or delivery.source in RECORD_SOURCES:
        return list(delivery.records)
    return [Received(delivery.correlation, {})]


_problem_of, _dropped_of = attrgetter("problem"), attrgetter("dropped")


def _warn_of_unread(delivery: Delivery) -> None:
    """One warning for all that was left out of one event."""
    if not (delivery.records or delivery.problem or delivery.dropped):
        return
    found = [delivery.problem, *map(_problem_of, delivery.records)]
    problems = [*filter(None, found)]
    dropped = delivery.dropped + sum(map(_dropped_of, delivery.records))
    if problems or dropped:
        why = {"problem": problems[0], "problems": len(problems)} if problems else {}
        with use(delivery.correlation):
            warn(
                "what came in could not all be read",
                source=delivery.source,
                dropped=dropped,
                **why,
            )


def _close(delivery: Delivery, error: BaseException | None, *, received_by_body: bool) -> None:
    """Write what the invocation came to. Never raises."""
    invocation, correlation = delivery.invocation, delivery.correlation
    if current().span_id == correlation.span_id:
        correlation = current()  # with the ids that were bound meanwhile
    try:
        if not received_by_body:
            _note_outcome(invocation, error)
        if error is not None:
            from clew.log.recorder import write_event, write_held

            write_held(invocation)
            write_event(invocation.event, correlation)
        entries, done = said_of(invocation)
        if delivery.records:
            _warn_of_unread(delivery)
        write_invocation(invocation, correlation, error, entries, done=done)
        if error is not None or correlation.debug:
            from clew.log.levels import warn_of_dropped

            warn_of_dropped(10)  # DEBUG, and `logging` need not be imported for it
    except Exception:  # noqa: BLE001  (the wide line never breaks the request)
        failed("closing an invocation")
    finally:
        _take_apart(invocation)


def _take_apart(invocation: Invocation) -> None:
    """Let go what refers to the invocation in turn, so that its memory is free at once.

    Else a batch's records would stay until the garbage collector runs.
    """
    invocation.delivery = None
    invocation.received = []
    invocation.calls = []
    invocation.done = None
    invocation.flight_recorder.clear()


def _note_outcome(invocation: Invocation, error: BaseException | None) -> None:
    """One body handled everything that came in: what became of it became of each."""
    ms = (time.perf_counter() - invocation.started) * 1000
    for received in invocation.received:
        if received.outcome == "skipped":  # before the body was called
            continue
        received.attempts = 1
        received.ms = ms
        received.outcome = "done" if error is None else "failed"
        received.error = "" if error is None else say(error)


def say(error: BaseException) -> str:
    """An exception in one line, whatever its own text does."""
    from clew.log.encode import as_text

    return f"{type(error).__name__}: {as_text(error)}"
