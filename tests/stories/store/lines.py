"""Log lines to store: those of requests through two functions, as clew writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stories.runtime import Run

if TYPE_CHECKING:
    from clew.stories.lines import RawLine


def request(name: str, at: float = 0, *, card: str = "visa") -> list[RawLine]:
    """The lines of a request that one function received and another one failed on."""
    edge = Run("edge", at=at, request_id=f"invocation-{name}-1")
    received = edge.receive(name)
    edge.log(received, "order placed", card=card)
    publish = edge.send(received)
    edge.end()
    mail = Run("mail", at=at + 9, request_id=f"invocation-{name}-2")
    taken = mail.receive(name, answers=publish)
    mail.log(taken, "mailing the customer", level="WARNING")
    return [*edge.lines, *mail.end()]


def requests(count: int) -> list[RawLine]:
    """The lines of several requests, one after the other."""
    return [line for number in range(count) for line in request(f"request-{number}", number * 100)]
