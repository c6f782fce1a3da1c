"""The wide ``invocation`` line that stories are rebuilt from. See docs/reference/log-line.md."""

from __future__ import annotations

import time

from clew.invocation import Sent
from clew.log.encode import encode, quote
from clew.log.line import build, describe, timestamp
from clew.log.out import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Record
    from clew.correlation import Correlation
    from clew.forward.together import Together
    from clew.invocation import Invocation, Received

#: CloudWatch Logs takes events of up to 256 kB ("CloudWatch Logs quotas"); room for the envelope.
MAX_CHUNK = 180_000
#: So many records of a batch, or messages of a call, are written in columns; fewer each by itself.
FROM = 20


def write_invocation(
    invocation: Invocation,
    correlation: Correlation,
    error: BaseException | None,
    received: list[str] | None = None,
    *,
    done: list[str] | None = None,
    outcome: str = "",
) -> None:
    """Write the line (in several chunks where it would be too long for one).

    ``received`` and ``done`` are what `said_of` says of what came in, where it was asked already;
    ``outcome`` is that of the invocation, where it is not ``ok``, or ``error`` because of
    ``error``.
    """
    outcome = outcome or ("ok" if error is None else "error")
    if received is None:
        received, done = said_of(invocation)
    duration_ms = (time.perf_counter() - invocation.started) * 1000
    own = (
        f',"source":{quote(invocation.source)},"outcome":"{outcome}",'
        f'"startedAt":"{timestamp(invocation.started_at)}","durationMs":{duration_ms:.3f}'
    )
    exception = describe(type(error), error, error.__traceback__) if error is not None else None
    line = _line(correlation, outcome, exception)
    sent_entries = [text for one in list(invocation.calls) for text in sent_texts(one)]
    groups = chunks(received, done or [], sent_entries, taken=len(line))
    for number, (came, columns, sent) in enumerate(groups, 1):
        line = line if number == 1 else _line(correlation, outcome, None)
        write(
            f'{line[:-2]}{own},"chunk":{number},"chunks":{len(groups)},'
            f'"received":[{",".join(came)}],{_done(columns)}"sent":[{",".join(sent)}]}}\n'
        )


def _line(correlation: Correlation, outcome: str, exception: dict[str, Any] | None) -> str:
    return build(
        at=time.time(),
        level="INFO" if outcome == "ok" else "ERROR",
        message="invocation",
        logger="clew",
        correlation=correlation,
        exception=exception,
    )


def _done(columns: list[str]) -> str:
    return f'"done":[{",".join(columns)}],' if columns else ""


def chunks(*kinds: list[str], taken: int = 0) -> list[tuple[list[str], ...]]:
    """Spread entries over as few lines as hold them, in order, each under 180 kB of entries.

    A line has a list of each of the ``kinds``; ``taken`` is what the first one holds besides.
    """
    if taken + sum([len(entry) + 1 for entries in kinds for entry in entries]) <= MAX_CHUNK:
        return [kinds]
    groups: list[tuple[list[str], ...]] = [tuple([] for _ in kinds)]
    size = taken
    for kind, entries in enumerate(kinds):
        for entry in entries:
            if size + len(entry) > MAX_CHUNK and size:
                groups.append(tuple([] for _ in kinds))
                size = 0
            groups[-1][kind].append(entry)
            size += len(entry) + 1
    return groups


def said_of(invocation: Invocation) -> tuple[list[str], list[str]]:
    """The entries of what came in, and the columns of those of a large batch that need none."""
    received, done = invocation.received, invocation.done
    if done is None:
        return [received_json(one) for one in received], []
    done.note(done.others(received))
    return [received_json(one) for one in done.others(received)], [*done.groups()]


def received_json(one: Received | Record, outcome: str = "", error: str = "") -> str:
    """One entry of ``received``; ``outcome`` and ``error`` are used in the place of its own."""
    correlation = one.correlation
    parent, error = correlation.parent_span_id, error or one.error
    answers = f'"parent":{quote(parent)},' if parent else ""
    position = "".join(
        [f',"{name}":{encode(value)}' for name, value in one.position.items() if value]
    )
    problem = f',"error":{quote(error[:1000])}' if error else ""
    return (
        f'{{"span":{quote(correlation.span_id)},{answers}"trace":{quote(correlation.trace_id)},'
        f'"id":{quote(correlation.id)},"outcome":{quote(outcome or one.outcome)},'
        f'"attempts":{one.attempts},"ms":{one.ms:.3f}{position}{problem}}}'
    )


def sent_texts(one: Sent | Together) -> list[str]:
    """The entries of a message that was sent, or of those of a call: one for all, if it can be."""
    if isinstance(one, Sent):
        return [sent_json(one)]
    if one.alike and len(one) >= FROM:
        text = _together_json(one)
        if len(text) <= MAX_CHUNK:
            return [text]
    return [sent_json(each) for each in one]


def sent_json(one: Sent) -> str:
    """One entry of ``sent``."""
    entry: dict[str, Any] = {**_named(one, one.span_id), **one.position}
    if one.status:
        entry["status"] = one.status
    if one.error:
        entry["error"] = one.error[:1000]
    if not one.carried:
        entry["carried"] = False
    return encode(entry)


def _together_json(one: Together) -> str:
    """The entry of all messages of a call, with a column for each of the service's names."""
    entry: dict[str, Any] = {**_named(one, f"{one.first:016x}"), "count": len(one)}
    if one.answers:
        for name, theirs in one.names.items():
            entry[f"{name}s"] = [answer.get(theirs, "") for answer in one.answers]
    return encode(entry)


def _named(one: Sent | Together, span: str) -> dict[str, Any]:
    correlation = one.correlation
    return {
        "service": one.service,
        "operation": one.operation,
        "target": one.target,
        "span": span,
        "parent": correlation.span_id,
        "trace": correlation.trace_id,
        "id": correlation.id,
        "at": timestamp(one.at),
        "outcome": one.outcome,
    }
