"""What names a record however often it is delivered."""

from __future__ import annotations

from clew import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.capture import Record

#: The member of a context (or of the packed attribute) that holds the key of a record which was
#: put again. It is no field of a correlation: it stops at the record that it names.
MEMBER = "idempotency-key"
#: Likewise the one that says how often it was dead-lettered before: a number for people.
LIVES = "dead-letter-lives"
_MOST_DIGITS = 4


def key_of(record: Record) -> str:
    """The key that came with a record that was put again, else its place in its source.

    "" where there is neither.
    """
    return _given(record) or _place(record)


def came_with_key(record: Record) -> bool:
    """Whether a record was put again by somebody who knew its key."""
    return bool(_given(record))


def lives_before(record: Record) -> int:
    """How often a record that was put again had been dead-lettered by then."""
    found = _given(record, LIVES)
    return int(found) if found.isdecimal() and len(found) <= _MOST_DIGITS else 0


def _given(record: Record, wanted: str = MEMBER) -> str:
    try:
        for name, value in record.came_with():
            if name == wanted and isinstance(value, str) and wire.is_value(value):
                return value
    except Exception:  # noqa: BLE001  (a malformed record has its place all the same)
        return ""
    return ""


def _place(record: Record) -> str:
    """ARN and position as one text."""
    position = [value for value in record.position.values() if value]
    if not position:
        return ""
    return as_key("/".join((arn_of(record), *position)))


def as_key(text: str) -> str:
    """``text`` itself, or a hash of what may not travel or is longer than a table's key may be."""
    if wire.is_value(text):
        return text
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def arn_of(record: Record) -> str:
    """The ARN of the stream, queue or topic that a record came from, or ""."""
    raw = record.raw if isinstance(record.raw, dict) else {}
    topic = getattr(record, "topic_arn", "") if "Sns" in raw else ""
    arn = topic or raw.get("eventSourceARN") or raw.get("eventSourceArn")
    return arn if isinstance(arn, str) else ""
