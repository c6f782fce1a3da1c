"""The ids in force, here and now.

A `Correlation` is immutable. Which one is in force is a context variable, so that threads and
asyncio tasks never see each other's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from json.encoder import encode_basestring_ascii as quote

from clew import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Token
    from types import TracebackType

    from clew.invocation import Invocation

#: The names of most fields as they stand in JSON.
_OPENINGS = {name: f'"{name}"' for name in (wire.ID, wire.DEBUG, wire.USER_AGENT, wire.CHAIN)}


class Correlation(Mapping[str, str]):
    """What is known of the request in hand: a read-only mapping of wire name to value.

    The mapping holds ``x-correlation-id``, every ``x-correlation-*``, ``debug-log-enabled``,
    ``user-agent`` and ``call-chain-length``. The trace stands beside it: `trace_id` (32 hex
    digits), `span_id` (16, this receive), `parent_span_id` (16, the send that it answers, or
    ""), `remote_span_id` (16, the sender's span in OpenTelemetry, where it had one in hand, or
    ""), `xray_trace_id` (X-Ray's root id, or ""). So does the `baggage` (W3C, as it came, or "").

    An empty one (``bool(correlation)`` is false) means that no request is in hand.
    """

    __slots__ = (
        "_context",
        "_fields",
        "_json",
        "_source",
        "baggage",
        "debug",
        "debug_signature",
        "invocation",
        "parent_span_id",
        "remote_span_id",
        "span_id",
        "trace_flags",
        "trace_id",
        "tracestate",
        "xray_trace_id",
    )

    #: Whether the mapping may hold names that are no fields, as of one that was made by hand.
    holds_any_name = True

    def __init__(
        self,
        fields: Mapping[str, str] | None = None,
        *,
        trace_id: str = "",
        span_id: str = "",
        parent_span_id: str = "",
        trace_flags: str = "01",
        tracestate: str = "",
        baggage: str = "",
        remote_span_id: str = "",
        xray_trace_id: str = "",
        debug_signature: str = "",
        invocation: Invocation | None = None,
    ) -> None:
        if invocation is None:  # made by hand, of whatever: nothing else may reach a header
            trace_id, trace_flags = wire.trace_of(trace_id, trace_flags)
            tracestate, baggage = tracestate.strip(" "), baggage.strip(" \t")
            tracestate = tracestate if wire.is_value(tracestate, wire.MAX_TRACESTATE) else ""
            baggage = baggage if wire.is_baggage(baggage) else ""
        self._fields = dict(fields) if fields else {}
        if invocation is None and wire.SIGNATURE in self._fields:
            signed = self._fields.pop(wire.SIGNATURE)
            debug_signature = signed if wire.is_value(signed, wire.MAX_SIGNATURE) else ""
        self._json: str | None = None
        self._context: tuple[bool, str, str] | None = None
        self.debug = self._fields.get(wire.DEBUG) == "true"
        self.trace_id = trace_id or (new_trace_id() if self._fields else "")
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.trace_flags = trace_flags
        self.tracestate = tracestate
        self.baggage = baggage
        self.remote_span_id = remote_span_id
        self.xray_trace_id = xray_trace_id
        #: That which came with the DEBUG decision, or "". Not among the fields: no log has it.
        self.debug_signature = debug_signature
        #: What collects the sends made under this correlation; None outside a handler.
        self.invocation = invocation

    def fill(
        self,
        fields: dict[str, str],
        traceparent: str,
        *,
        span_id: str,
        xray_trace_id: str,
        invocation: Invocation | None,
    ) -> None:
        """What the constructor does, for what needs no check and no DEBUG, at half its price."""
        self._fields = fields
        self._context = None
        self.debug = False
        self.trace_id = traceparent[3:35]
        self.span_id = span_id
        self.parent_span_id = traceparent[36:52]
        self.trace_flags = traceparent[53:]
        self.tracestate = self.baggage = self.remote_span_id = self.debug_signature = ""
        self.xray_trace_id = xray_trace_id
        self.invocation = invocation

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:  # `Mapping`'s own raises and catches
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Correlation({self._fields!r}, trace_id={self.trace_id!r})"

    @property
    def id(self) -> str:
        """The request's id (``x-correlation-id``), or "" where no request is in hand."""
        return self._fields.get(wire.ID, "")

    @property
    def chain_length(self) -> int:
        """Hops so far, from 1; 0 where no request is in hand."""
        length = self._fields.get(wire.CHAIN, "0")
        return int(length) if length.isdecimal() and len(length) <= 4 else 0

    def with_ids(self, ids: Mapping[str, str]) -> Correlation:
        """A copy with ``ids`` (wire name to value) added or replaced."""
        other_id = ids.get(wire.ID, self.id) != self.id
        return Correlation(
            {**self._fields, **ids},
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_span_id=self.parent_span_id,
            trace_flags=self.trace_flags,
            tracestate=self.tracestate,
            baggage=self.baggage,
            remote_span_id=self.remote_span_id,
            xray_trace_id=self.xray_trace_id,
            debug_signature="" if other_id else self.debug_signature,
            invocation=self.invocation,
        )

    def without_baggage(self) -> Correlation:
        """A copy without `baggage`, which can be larger than all the rest."""
        less = self.with_ids({})
        less.baggage = ""
        return less

    def settled(self) -> Correlation:
        """The one whose sends have nothing of the moment in them but their span."""
        return self

    def outgoing(self, span_id: str) -> dict[str, str]:
        """The fields that one send carries, by wire name.

        ``span_id`` names the send (16 hex digits); the receiver has it as its parent.
        """
        fields = {
            **self._to_send(),
            wire.TRACEPARENT: f"00-{self.trace_id}-{span_id}-{self.trace_flags}",
        }
        if self.tracestate:
            fields[wire.TRACESTATE] = self.tracestate
        if self.baggage:
            fields[wire.BAGGAGE] = self.baggage
        return fields

    def _to_send(self) -> dict[str, str]:
        """The fields that a send has besides the trace; of one made by hand, what may travel."""
        fields = self._fields if self.invocation is not None else _checked(self._fields)
        if self.debug:
            if not self.debug_signature:
                from clew.trust import sign

                self.debug_signature = sign(self.id)
            if self.debug_signature:
                fields = {**fields, wire.SIGNATURE: self.debug_signature}
        return fields

    def around_span(self, *, for_node: bool = False) -> tuple[str, str]:
        """`outgoing` as the JSON text of an object, before and after the span; made once.

        ``for_node`` writes it as the Node library does, with the chain length as a number.
        """
        if self._context is None or self._context[0] is not for_node:
            fields = "".join(
                f"{quote(wire.NODE_NAMES.get(name, name) if for_node else name)}"
                f":{value if bare else quote(value)},"
                for name, value in self._to_send().items()
                for bare in (for_node and name == wire.CHAIN and value.isdecimal(),)
            )
            head, tail = self._trace_around_span()
            baggage = f',"{wire.BAGGAGE}":{quote(self.baggage)}' if self.baggage else ""
            self._context = (for_node, f"{{{fields}{head}", f"{tail}{baggage}}}")
        return self._context[1:]

    def _trace_around_span(self) -> tuple[str, str]:
        """The members of the trace as JSON, before and after the span."""
        state = f',"{wire.TRACESTATE}":{quote(self.tracestate)}' if self.tracestate else ""
        return (
            f'"{wire.TRACEPARENT}":"00-{self.trace_id}-',
            f'-{self.trace_flags}"{state}',
        )

    def as_context(self, span_id: str) -> str:
        """`outgoing` as the JSON text of an object."""
        head, tail = self.around_span()
        return head + span_id + tail

    def as_json(self) -> str:
        """The members that a log line carries, as JSON text without braces (made once).

        "" where no request is in hand.
        """
        if self._json is None and not self._fields:
            self._json = ""
        elif self._json is None:
            members = [
                f"{_OPENINGS.get(name) or quote(name)}:{quote(value)}"
                for name, value in self._fields.items()
            ]
            if self.trace_id:
                members.append(f'"traceId":{quote(self.trace_id)}')
            if self.span_id:
                members.append(f'"spanId":{quote(self.span_id)}')
            if self.parent_span_id:
                members.append(f'"parentSpanId":{quote(self.parent_span_id)}')
            if self.xray_trace_id:
                members.append(f'"xrayTraceId":{quote(self.xray_trace_id)}')
            self._json = ",".join(members)
        return self._json


def _checked(fields: dict[str, str]) -> dict[str, str]:
    """Of fields that nobody has checked, those that may travel."""
    kept = wire.check(fields.items()).fields
    if len(kept) < len(fields):
        from clew.log.internal import warn_once

        warn_once("by hand", f"not sent along: {', '.join(sorted(fields.keys() - kept))}")
    return kept


NONE = Correlation()

_current: ContextVar[Correlation] = ContextVar("clew", default=NONE)
#: What was in force around one that was made by hand: it knows the invocation.
_around: ContextVar[Correlation] = ContextVar("clew_around", default=NONE)

#: The correlation in force. A module that logs or sends calls it often, hence no wrapper.
current = _current.get
#: Put one in force from here on; give the token that comes back to `reset_current` to undo it.
set_current = _current.set


def reset_current(token: Token[Correlation]) -> None:
    """Put back what was in force before `set_current`."""
    _reset(_current, token)


def _reset(variable: ContextVar[Correlation], token: Token[Correlation]) -> None:
    try:
        variable.reset(token)
    except ValueError:
        # A generator or a framework may leave in another context than it entered; what was in
        # force there is not ours to change.
        return


def forget_around() -> None:
    """Let nothing that an earlier invocation left in force be around what comes now."""
    if _around.get() is not NONE:
        _around.set(NONE)


def receiving() -> Correlation:
    """The one of the receive in hand: that in force, or that around one made by hand."""
    here = _current.get()
    return here if here.invocation is not None else _around.get()


class use:  # noqa: N801  (reads as a verb: ``with clew.use(record.correlation):``)
    """Put a correlation in force for the length of a ``with`` block.

    Right in threads and asyncio tasks: what is put in force in one is not seen in another.

    >>> import clew
    >>> with clew.use(clew.Correlation({"x-correlation-id": "42"})) as correlation:
    ...     clew.current().id
    '42'
    """

    __slots__ = ("_correlation", "_tokens")

    def __init__(self, correlation: Correlation) -> None:
        self._correlation = correlation
        self._tokens: list[tuple[Token[Correlation], Token[Correlation] | None]] = []

    def __enter__(self) -> Correlation:
        correlation, before = self._correlation, _current.get()
        by_hand = correlation.invocation is None and before.invocation is not None
        around = _around.set(before) if by_hand else None
        self._tokens.append((_current.set(correlation), around))
        return correlation

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        token, around = self._tokens.pop()
        reset_current(token)
        if around is not None:
            _reset(_around, around)


def bind(**ids: object) -> Correlation:
    """Add ids of your own to the correlation in force; they travel to everything downstream.

    ``bind(user_id=42)`` adds ``x-correlation-user-id: "42"``. Names become lower case with
    hyphens; values become text, without spaces around it. A name that is not ``[a-z0-9-]{1,64}``
    with its prefix, a value that is not 1 to 256 printable ASCII characters, and what would pass
    32 ids or 4 KiB together, is left out with one warning: an id never breaks the request.
    ``None`` is no id, and is left out without one.

    Returns the correlation now in force.
    """
    before = _current.get()
    wanted: dict[str, str] = {}
    for name, value in ids.items():
        if value is None:
            continue
        try:
            wanted[wire.PREFIX + name.lower().replace("_", "-")] = str(value).strip(" ")
        except Exception:  # noqa: BLE001  (a __str__ that raises is the caller's, and is left out)
            wanted[wire.PREFIX + name] = ""
    kept = wire.check([*before.items(), *wanted.items()])
    added = {name: kept.fields[name] for name in wanted if kept.fields.get(name) == wanted[name]}
    if len(added) < len(wanted):
        from clew.log.internal import warn_once

        warn_once(
            "bind", f"left out of the correlation: {', '.join(sorted(wanted.keys() - added))}"
        )
    after = before.with_ids(added)
    _current.set(after)
    return after


def new_span_id() -> str:
    """A random span id: 16 hex digits."""
    return os.urandom(8).hex()


def new_trace_id() -> str:
    """A random trace id: 32 hex digits."""
    return os.urandom(16).hex()
