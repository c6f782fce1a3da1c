"""What a story is made of. All of it is frozen; hops refer to each other by number, not by nesting.

Times are milliseconds since the epoch (``at_ms``) or lengths in milliseconds (``duration_ms``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.stories.lines import LogLine, TextLine, Thrown

#: What became of a hop: the outcomes of ``received`` (``pending`` is one that was never reached),
#: ``unfinished`` for one whose invocation line never came, ``unknown`` where no clew wrote one.
OUTCOMES = (
    "done",
    "failed",
    "skipped",
    "dead-lettered",
    "returned",
    "pending",
    "unfinished",
    "unknown",
)


#: What a story can break of. Of a send: it was refused (``throttled``, if because there was too
#: much), it was not answered, its function could not be loaded, nobody received it (``still in a
#: queue``, if it went to one). Of a hop: how it ended.
BREAK_KINDS = (
    "not received",
    "still in a queue",
    "throttled",
    "send failed",
    "no answer",
    "could not start",
    "failed",
    "timed out",
    "out of memory",
    "crashed",
    "unfinished",
    "pending",
    "skipped",
    "dead-lettered",
    "on-failure destination",
    "returned",
    "loop stopped",
)
#: What can be missing from a story without its being broken.
GAP_KINDS = ("passed on", "sender not in the logs", "no clew")


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the story broke."""

    kind: str  # one of BREAK_KINDS
    sentence: str
    function: str  # where it was noticed
    target: str  # whom a send was for, or ""
    at_ms: int
    unknown: str = ""  # what no log says of it, in one sentence
    hop: int | None = None  # the number of the hop that broke, or that sent what did


@dataclass(frozen=True, slots=True)
class Gap:
    """One place where the request went through something that did not log it."""

    kind: str  # one of GAP_KINDS
    sentence: str
    function: str  # the next one that logged
    at_ms: int
    hops: tuple[int, ...]  # the numbers of the hops that came out of it


@dataclass(frozen=True, slots=True)
class Send:
    """One message, record or request that a hop sent."""

    function: str
    service: str  # "http", "sns", "kinesis", "lambda", …
    operation: str
    target: str
    span: str
    at_ms: int
    outcome: str  # "ok", "error" or "pending"
    id: str
    status: int = 0  # HTTP status, 0 where there is none
    error: str = ""
    carried: bool = True
    position: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    received_by: tuple[int, ...] = ()  # numbers of hops
    awaited: bool = False  # whether somebody is to receive it and nobody has
    note: str = ""
    broken: Break | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One receive in one invocation of a function: a request, or one record of a batch."""

    number: int  # from 1, in the order of the tree
    depth: int  # hops above it
    function: str
    source: str  # "aws:apigateway", "aws:sns", …, or ""
    span: str  # "" where only the id is known
    parent: str  # the span of the send that it answers, or ""
    above: int | None  # the number of the hop that sent it
    joined: bool  # whether it stands under the send that it answers
    request_id: str
    log_group: str
    at_ms: int
    duration_ms: float | None
    outcome: str  # one of OUTCOMES
    ending: str = ""  # how an unfinished one was ended: "timed out", "out of memory" or "crashed"
    attempts: int = 1  # times that the handler was called for it in this invocation
    delivery: int = 1  # which of the deliveries of the same send to this function it is
    deliveries: int = 1
    cold_start: bool = False
    position: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ids_added: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    error: str = ""
    exception: Thrown | None = None  # of the invocation
    sends: tuple[Send, ...] = ()  # in the order of sending
    lines: tuple[LogLine, ...] = ()
    texts: tuple[TextLine, ...] = ()  # what Lambda said of an unfinished invocation
    note: str = ""
    broken: Break | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What one request did.

    ``hops`` are in the order of the tree: each stands after the hop that sent it. ``sends`` are
    those that belong to no hop.
    """

    id: str
    hops: tuple[Hop, ...] = ()
    sends: tuple[Send, ...] = ()
    breaks: tuple[Break, ...] = ()  # oldest first
    gaps: tuple[Gap, ...] = ()  # likewise
    notes: tuple[str, ...] = ()
    at_ms: int = 0
    duration_ms: int = 0
    trace_ids: tuple[str, ...] = ()
    debug: bool = False
    user_agent: str = ""

    def __bool__(self) -> bool:
        """Whether anything is known of the request."""
        return bool(self.hops or self.sends)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it touched, in the order of the tree."""
        return tuple(dict.fromkeys(hop.function for hop in self.hops))

    def hop(self, number: int) -> Hop:
        """The hop of that number."""
        return self.hops[number - 1]

    def all_sends(self) -> list[Send]:
        """Every send, in the order of the tree, those of no hop last."""
        return [send for hop in self.hops for send in hop.sends] + list(self.sends)

    def awaited_since_ms(self) -> int | None:
        """When the latest thing happened that is still to be followed by another; None if nothing.

        That is a send that nobody has received yet, or a hop whose end has not been logged yet.
        """
        awaited = [send.at_ms for send in self.all_sends() if send.awaited]
        awaited += [hop.at_ms for hop in self.hops if hop.outcome == "unfinished"]
        return max(awaited, default=None)
