"""One message on its way out: its span, what it carries, what became of it."""

from __future__ import annotations

import sys

from clew import wire
from clew.correlation import Correlation, new_span_id, receiving
from clew.forward.together import MOST, Together
from clew.invocation import Sent
from clew.log.internal import failed, warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Known = dict[tuple[str, str], Correlation]
    #: Those of one call.
    Messages = list[Sent] | Together


def going_out(correlation: Correlation) -> Correlation:
    """``correlation`` as it goes out: where OpenTelemetry has a span in hand, under that."""
    bridge = sys.modules.get("clew.neighbours.opentelemetry")
    if bridge is None or not correlation:
        return correlation
    try:
        found: Correlation = bridge.outbound(correlation)
    except Exception:  # noqa: BLE001  (a send goes out as if OpenTelemetry were not there)
        failed("asking OpenTelemetry for its span")
        return correlation
    return found


def new_sent(
    service: str, operation: str, target: str, correlation: Correlation, *, once: str = ""
) -> Sent:
    """A message that is about to be sent under ``correlation``, with a span of its own.

    ``once`` is the name by which the service knows a repeated call, and which it refuses if the
    message is then another: for the same name under the same trace the span is the same, and
    what goes out is ``.correlation`` of the answer, which is the settled one.
    """
    if once:
        correlation = correlation.settled()
    span_id = _span_of(correlation.trace_id, target, once) if once else new_span_id()
    return Sent(service, operation, target, span_id, correlation)


def new_batch(
    service: str,
    operation: str,
    target: str,
    correlation: Correlation,
    *,
    length: int,
    names: Mapping[str, str],
) -> Messages:
    """``length`` messages of one call, each as of `new_sent`; ``names`` as of `all_answered`."""
    if length > MOST:  # the service will not take it
        return [new_sent(service, operation, target, correlation) for _ in range(length)]
    return Together(service, operation, target, correlation, length=length, names=names)


def _span_of(*names: str) -> str:
    from hashlib import sha256

    return sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def take_over(sent: Sent, pairs: Iterable[tuple[object, object]]) -> None:
    """Let ``sent`` be what its message says already: it was stamped before, maybe elsewhere."""
    found = wire.check(pairs)
    ours = sent.correlation
    if found.parent_span_id:
        sent.span_id = found.parent_span_id
    else:
        sent.carried = False  # no span went along that a receiver could name
    trace_id, own_id = found.trace_id or ours.trace_id, found.fields.get(wire.ID) or ours.id
    if (trace_id, own_id) != (ours.trace_id, ours.id):
        sent.correlation = Correlation({**found.fields, wire.ID: own_id}, trace_id=trace_id)


def note(all_sent: Messages) -> None:
    """Put them into the invocation that sends them, where there is one."""
    if isinstance(all_sent, Together) and all_sent.alike and all_sent.correlation.invocation:
        all_sent.correlation.invocation.calls.append(all_sent)
        return
    here: Correlation | None = None
    known: Known = {}
    for sent in all_sent:
        invocation = sent.correlation.invocation
        if invocation is None:
            # Made by hand, or found in the message: within an invocation all the same.
            if here is None:
                here = receiving()
                known = _known(here)
            sent.correlation = _of_here(sent.correlation, here, known)
            invocation = sent.correlation.invocation
        if invocation is not None:
            invocation.calls.append(sent)


def _known(here: Correlation) -> Known:
    """What this invocation received, by trace and id."""
    if here.invocation is None:
        return {}
    received = [one.correlation for one in here.invocation.received]
    return {(one.trace_id, one.id): one for one in (*received, here)}


def _of_here(correlation: Correlation, here: Correlation, known: Known) -> Correlation:
    """The receive that ``correlation`` came with, else itself as a part of ``here``."""
    found = known.get((correlation.trace_id, correlation.id))
    if found is not None or here.invocation is None:
        return found or correlation
    return Correlation(
        correlation,
        trace_id=correlation.trace_id,
        span_id=correlation.span_id or here.span_id,
        invocation=here.invocation,
    )


def goes_untouched(sent: Sent, why: str) -> None:
    """Say that ``sent`` carries nothing: in its entry, and once per service in a warning."""
    sent.carried = False
    warn_once(
        f"untouched:{sent.service}:{why}",
        f"sent without its correlation: {why}",
        service=sent.service,
        target=sent.target,
    )


def all_answered(
    all_sent: Messages, answers: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> None:
    """What the service answered to each of a call: with its names for it, or why it took it not.

    ``names`` are the service's own names for a message: in the ``invocation`` line -> in the
    answer.
    """
    if (
        isinstance(all_sent, Together)
        and len(answers) == len(all_sent)
        and not any(answer.get("ErrorCode") for answer in answers)
    ):
        all_sent.taken([*answers])  # the list is the user's
        return
    for sent, answer in zip(all_sent, answers, strict=False):
        if answer.get("ErrorCode"):
            refused(sent, f"{answer['ErrorCode']}: {answer.get('ErrorMessage')}")
        else:
            answered(sent, {name: answer.get(theirs, "") for name, theirs in names.items()})


def answered(sent: Sent, position: dict[str, str], status: int = 0) -> None:
    """The service took it. ``position`` holds the service's own names for it."""
    sent.outcome = "ok"
    sent.position = {**sent.position, **position} if sent.position else position
    sent.status = status


def refused(sent: Sent, error: str, status: int = 0) -> None:
    """The service did not take it."""
    sent.outcome = "error"
    sent.error = error
    sent.status = status


def unanswered(sent: Sent, error: BaseException) -> None:
    """No answer came, but ``error``. Never raises."""
    from clew.log.encode import as_text

    refused(sent, f"{type(error).__name__}: {as_text(error)}")
