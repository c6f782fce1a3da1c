"""Hops and sends while a story is put together; `freeze` makes the values that are handed out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.stories.endings import ending_of
from clew.stories.model import Break, Hop, Send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.stories.lines import Invocation, LogLine, SentEntry, TextLine


@dataclass(slots=True, eq=False)
class SendDraft:
    """One send on its way into a story."""

    entry: SentEntry
    function: str
    hop: HopDraft | None  # that sent it
    receivers: list[HopDraft] = field(default_factory=list)  # of all sends of its message
    own: list[HopDraft] = field(default_factory=list)  # those that stand under it
    received_by: tuple[int, ...] = ()  # the numbers of ``receivers``
    awaited: bool = False
    gap: bool = False  # whether it went where nobody logs
    note: str = ""
    broken: Break | None = None

    @property
    def is_dead_letter(self) -> bool:
        """Whether it was the dead letter of the record that its hop had."""
        return "deadLetter" in self.entry.position

    @property
    def waits_for_answer(self) -> bool:
        """Whether the sender waited for the receiver itself, not for a service in between."""
        entry = self.entry
        if entry.service == "lambda":
            return entry.position.get("invocationType") != "Event"
        return entry.service == "http" or entry.operation == "StartSyncExecution"

    @property
    def at_ms(self) -> int:
        """When it was sent."""
        return self.entry.at_ms

    def freeze(self) -> Send:
        """The value; ``received_by`` has to be known."""
        entry = self.entry
        return Send(
            function=self.function,
            service=entry.service,
            operation=entry.operation,
            target=entry.target,
            span=entry.span,
            at_ms=entry.at_ms,
            outcome=entry.outcome,
            id=entry.id,
            status=entry.status,
            error=entry.error,
            carried=entry.carried,
            position=entry.position,
            received_by=self.received_by,
            awaited=self.awaited,
            note=self.note,
            broken=self.broken,
        )


@dataclass(slots=True, eq=False)
class HopDraft:
    """One hop on its way into a story."""

    function: str
    log_group: str
    request_id: str
    span: str
    parent: str
    at_ms: int
    outcome: str
    source: str = ""
    trace_id: str = ""
    duration_ms: float | None = None
    attempts: int = 1
    position: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    cold_start: bool = False
    invocation: Invocation | None = None
    via: SendDraft | None = None  # the send that it answers and stands under
    same_send: list[HopDraft] = field(default_factory=list)  # its deliveries here, oldest first
    delivery: int = 1  # its place among them
    origin: HopDraft | None = None  # whose invocation it is told of, as a destination of Lambda's
    destination: HopDraft | None = None  # who was told that its invocation failed for good
    sends: list[SendDraft] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    texts: list[TextLine] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)  # in force at its end
    ids_added: dict[str, str] = field(default_factory=dict)
    number: int = 0
    depth: int = 0
    chain: int = 0  # hops of its call chain so far, itself included; 0 where no line says it
    note: str = ""
    broken: Break | None = None

    @property
    def ended_ms(self) -> int | None:
        """When its end was logged; None where it was not."""
        one = self.invocation
        if one is None or one.duration_ms is None:
            return None
        return one.started_ms + int(one.duration_ms)

    @property
    def own_stream(self) -> set[str]:
        """The log stream of its invocation line."""
        return {self.invocation.line.stream} if self.invocation is not None else set()

    @property
    def above(self) -> HopDraft | None:
        """The hop that sent what this one received."""
        return self.via.hop if self.via is not None else None

    def freeze(self) -> Hop:
        """The value; every hop has to be numbered."""
        above = self.above
        return Hop(
            number=self.number,
            depth=self.depth,
            function=self.function,
            source=self.source,
            span=self.span,
            parent=self.parent,
            above=None if above is None else above.number,
            joined=self.via is not None,
            request_id=self.request_id,
            log_group=self.log_group,
            at_ms=self.at_ms,
            duration_ms=self.duration_ms,
            outcome=self.outcome,
            ending=ending_of(self.texts)[0] if self.outcome == "unfinished" else "",
            attempts=self.attempts,
            delivery=self.delivery,
            deliveries=max(len(self.same_send), 1),
            cold_start=self.cold_start,
            position=self.position,
            ids_added=self.ids_added,
            error=self.error,
            exception=self.invocation.line.exception if self.invocation else None,
            sends=tuple(send.freeze() for send in self.sends),
            lines=tuple(self.lines),
            texts=tuple(self.texts),
            note=self.note,
            broken=self.broken,
        )


def note(one: HopDraft | SendDraft, words: str) -> None:
    """Say something of a hop or a send, beside what is said already."""
    one.note = f"{one.note}; {words}" if one.note else words
