"""One message on its way out: its span, what it carries, what became of it."""

from __future__ import annotations

from clew.correlation import current, new_span_id
from clew.invocation import Sent
from clew.log.internal import warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.correlation import Correlation


def new_sent(service: str, operation: str, target: str, correlation: Correlation) -> Sent:
    """A message that is about to be sent under ``correlation``, with a span of its own."""
    return Sent(service, operation, target, new_span_id(), correlation)


def note(sent: Sent) -> None:
    """Put ``sent`` into the invocation that sends it, where there is one."""
    invocation = sent.correlation.invocation
    if invocation is None:
        # Sent under a correlation that was made by hand, within an invocation all the same.
        invocation = current().invocation
    if invocation is not None:
        invocation.sent.append(sent)


def goes_untouched(sent: Sent, why: str) -> None:
    """Say that ``sent`` carries nothing: in its entry, and once per service in a warning."""
    sent.carried = False
    warn_once(
        f"untouched:{sent.service}:{why}",
        f"sent without its correlation: {why}",
        service=sent.service,
        target=sent.target,
    )


def answered(sent: Sent, position: dict[str, str], status: int = 0) -> None:
    """The service took it. ``position`` holds the service's own names for it."""
    sent.outcome = "ok"
    sent.position = {**sent.position, **position}
    sent.status = status


def refused(sent: Sent, error: str, status: int = 0) -> None:
    """The service did not take it, or did not answer."""
    sent.outcome = "error"
    sent.error = error
    sent.status = status
