"""A dead letter: a record that failed, with what it takes to understand it and to run it again.

Pure: from a record and its failure to JSON, and back. The format is that of
``dead-letter.schema.json`` beside this module, explained in docs/reference/dead-letter.md.
"""

from __future__ import annotations

import json

from clew import payload as clew_payload
from clew import wire
from clew.streams import origins
from clew.streams.failure import NotAnEnvelope
from clew.streams.identity import LIVES, MEMBER, arn_of, lives_before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Record
    from clew.invocation import Invocation

#: The version of the format; an envelope of a later one is not read.
VERSION = 1
#: The member that says that an object is an envelope, and of which version.
MARK = "clewDeadLetter"
#: Failures of earlier lives that are kept, the latest ones.
MAX_HISTORY = 10
#: More attempts or lives than this are nobody's.
_MOST = 1_000_000
#: What an envelope has to have besides, with the kind of each.
_MEMBERS: dict[str, type] = {
    "id": str,
    "correlation": dict,
    "error": dict,
    "function": dict,
    "origin": dict,
    "payload": dict,
}


class Envelope:
    """One dead letter. ``members`` are its JSON; they are not to be changed."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    @property
    def id(self) -> str:
        """Its own name, the same through all its lives."""
        return str(self.members["id"])

    @property
    def source(self) -> str:
        """The event source that the record came from, ``"aws:kinesis"`` say."""
        return str(self.members["origin"].get("source", ""))

    @property
    def lives(self) -> int:
        """How often the record has been dead-lettered, this time included."""
        return _number(self.members.get("lives"), 1)

    @property
    def attempts(self) -> int:
        """How often the function was called for it, in all its lives."""
        return _number(self.members.get("attempts"), 0)

    @property
    def function(self) -> str:
        """The name of the function that it failed in first."""
        return str(self.members["origin"].get("function", ""))

    @property
    def correlation_id(self) -> str:
        """The id of the request that the record is a part of."""
        return str(self.members["correlation"].get(wire.ID, ""))

    @property
    def span_id(self) -> str:
        """The span by which it was sent: whoever runs its record again has it as the parent."""
        found = self.members.get("spanId") or self.members["correlation"].get("spanId")
        return found if isinstance(found, str) else ""

    @property
    def idempotency_key(self) -> str:
        """`clew.Record.idempotency_key` of the record."""
        key = self.members.get("idempotencyKey", "")
        return key if isinstance(key, str) else ""

    @property
    def claim(self) -> tuple[str, str] | None:
        """Bucket and key of the object that holds all of it; None where it is whole."""
        found = self.members["payload"].get("claimCheck")
        if not isinstance(found, dict):
            return None
        return str(found.get("bucket", "")), str(found.get("key", ""))

    @property
    def payload(self) -> bytes:
        """The exact bytes that came, the context inside of them included.

        Raises `NotAnEnvelope` where they are elsewhere (`claim`), or are not what they should be.
        """
        return origins.decode(self.members["payload"], f"The dead letter {self.id}")

    def raw(self) -> Any:
        """The record as Lambda delivered it."""
        return origins.join(self.source, self.payload, self.members)

    def event(self) -> dict[str, Any]:
        """A Lambda event of its source with this one record, for the function that failed on it."""
        return origins.event(self.source, self.raw())

    def record(self) -> Record:
        """The record itself. Raises `NotAnEnvelope` where its source or payload is no good."""
        found = origins.record(self.source, self.raw(), self.members)
        found.idempotency_key = self.idempotency_key
        return found

    def context(self) -> dict[str, str]:
        """The fields that go with the record where it is put again, by wire name.

        The dead letter is the parent, so that the record's next life follows this one in its
        story. With the key by which it is known: what reads the record has it as
        `idempotency_key`. And with its lives so far, on which its next letter counts on.
        """
        own = self.members["correlation"]
        return {**{name: own[name] for name in own if wire.is_field(name)}, **self._own_fields()}

    def _own_fields(self) -> dict[str, str]:
        fields = {}
        trace_id, _ = wire.trace_of(str(self.members["correlation"].get("traceId", "")), "01")
        if trace_id and self.span_id:
            fields[wire.TRACEPARENT] = f"00-{trace_id}-{self.span_id}-01"
        if self.idempotency_key:
            fields[MEMBER] = self.idempotency_key
        if fields:
            fields[LIVES] = str(self.lives)
        return fields

    def to_source(self) -> bytes:
        """The payload to put into its source again: what came, with the record's key beside it.

        Of a JSON object, in its context, which names the dead letter as the parent; any other
        payload as it is.
        """
        data = self.payload
        taken = clew_payload.take(data)
        if taken.value is None:
            return data
        came = taken.context if isinstance(taken.context, dict) else {}
        own = self._own_fields()
        if wire.TRACEPARENT in own:  # the other header of the trace may name a parent too
            replaced = (wire.TRACEPARENT, wire.TRACESTATE)
            came = {name: came[name] for name in came if str(name).lower() not in replaced}
        fields = {**self._with_id(came), **own} if came else self.context()
        done = clew_payload.put(taken.data, fields)
        return data if done is None else done

    def _with_id(self, came: dict[str, Any]) -> dict[str, Any]:
        """What came, with the request's id where it came without one that counts.

        It was made for the record then, and its next life is to be found by it, too.
        """
        if wire.ID in wire.check(came.items()).fields or not wire.is_value(self.correlation_id):
            return came
        kept = {name: came[name] for name in came if str(name).lower() != wire.ID}
        return {**kept, wire.ID: self.correlation_id}

    def with_claim(self, bucket: str, key: str) -> Envelope:
        """Itself without its payload, which an object of S3 has."""
        payload = self.members["payload"]
        kept = {name: payload[name] for name in ("encoding", "bytes") if name in payload}
        claim = {"bucket": bucket, "key": key}
        return Envelope({**self.members, "payload": {**kept, "claimCheck": claim}})

    def to_json(self) -> str:
        """Its JSON text, of characters that every queue and topic takes."""
        return _as_message(
            json.dumps(self.members, ensure_ascii=False, separators=(",", ":"), default=str)
        )


def seal(
    record: Record,
    source: str,
    error: BaseException,
    *,
    invocation: Invocation,
    policy: object,
    first_at: float,
    last_at: float,
    previous: Envelope | None = None,
) -> Envelope:
    """Put a record that failed with ``error`` into an envelope.

    ``first_at`` and ``last_at`` are when its attempts in this invocation began and ended (seconds
    since 1970); ``previous`` is the envelope that it came out of, where it is not its first life.
    """
    from clew.correlation import new_span_id, new_trace_id
    from clew.log.line import describe, timestamp

    correlation = record.correlation
    described = describe(type(error), error, error.__traceback__)
    now: dict[str, Any] = {
        MARK: VERSION,
        "id": new_trace_id(),
        "spanId": new_span_id(),
        "lives": lives_before(record) + 1,
        "error": described,
        "attempts": record.attempts,
        "firstAttemptAt": timestamp(first_at),
        "lastAttemptAt": timestamp(last_at),
        "function": {
            "name": invocation.function,
            "version": invocation.version,
            "requestId": invocation.request_id,
        },
        "policy": repr(policy),
        "correlation": {
            **correlation,
            "traceId": correlation.trace_id,
            "spanId": correlation.span_id,
        },
    }
    if previous is not None:
        return Envelope(_next_life(previous, now))
    return Envelope(
        {
            **now,
            "idempotencyKey": record.idempotency_key,
            "origin": {
                "source": source,
                "arn": arn_of(record),
                "function": invocation.function,
                **origins.origin(record),
            },
            **origins.split(source, record),
        }
    )


def _next_life(previous: Envelope, now: dict[str, Any]) -> dict[str, Any]:
    """The members of an envelope whose record failed again: what it is, stays."""
    before = previous.members
    past = before.get("history")
    failure = {
        "error": {name: before["error"].get(name, "") for name in ("type", "message")},
        "function": before["function"],
        "lastAttemptAt": before.get("lastAttemptAt", ""),
        "attempts": previous.attempts,
    }
    history = [*(past if isinstance(past, list) else ()), failure]
    return {
        **before,
        **now,
        "id": previous.id,
        "lives": previous.lives + 1,
        "attempts": previous.attempts + now["attempts"],
        "firstAttemptAt": before.get("firstAttemptAt", now["firstAttemptAt"]),
        "history": history[-MAX_HISTORY:],
    }


def unseal(text: str | bytes) -> Envelope:
    """Read an envelope. Raises `NotAnEnvelope`, which says what it is instead."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        message = "This is no dead letter of clew's: it is not JSON. Is it another queue's message?"
        raise NotAnEnvelope(message) from None
    if not isinstance(members, dict) or MARK not in members:
        message = (
            f"This is no dead letter of clew's: it has no {MARK}. Lambda's own on-failure records "
            "and messages of other senders are read by `clew dlq`, not by a function."
        )
        raise NotAnEnvelope(message)
    version = members[MARK]
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION:
        message = (
            f"This dead letter has the format {str(version)[:40]!r}, and this clew reads up to "
            f"{VERSION}: update clew in the function that reads it."
        )
        raise NotAnEnvelope(message)
    wrong = [name for name, kind in _MEMBERS.items() if not isinstance(members.get(name), kind)]
    if wrong:
        message = f"This dead letter is damaged: {', '.join(wrong)} is missing or of a wrong kind."
        raise NotAnEnvelope(message)
    return Envelope(members)


def _as_message(text: str) -> str:
    """A JSON text, what no message may have in it escaped; it reads the same.

    SQS API reference, "SendMessage": any Unicode character but control characters, halves of
    surrogate pairs, U+FFFE and U+FFFF. JSON never has control characters in it.
    """
    if text.isascii():
        return text
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _number(value: object, default: int) -> int:
    """A count, or ``default`` for what can be none: whoever may send to the queue wrote it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    return default
