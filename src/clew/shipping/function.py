"""From an event to a sink, and the answer to whoever delivered it.

What is neither shipped nor in a dead letter goes back: a subscription's event by an error, records
of Kinesis by ``batchItemFailures``, a batch of Firehose by an error. So each comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clew.shipping import deadletters
from clew.shipping.deliver import deliver
from clew.shipping.errors import ShippingError, UnreadableError
from clew.shipping.lines import OF_LAMBDA
from clew.shipping.parse import lines_of
from clew.shipping.unpack import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.shipping.lines import Line
    from clew.shipping.sinks import Sink
    from clew.streams.policy import DeadLetter

#: Characters of lines that are in hand at once, where an event has many batches.
ROUND = 16 << 20


@dataclass(frozen=True, slots=True)
class Package:
    """One packed batch of an event, and how its service names it."""

    data: str
    name: str = ""


@dataclass(slots=True)
class Shipped:
    """What became of an event."""

    lines: int = 0
    sent: int = 0
    requests: int = 0
    dead_letters: int = 0
    own: int = 0
    #: Subscription filters that deliver the function's own log.
    own_filters: set[tuple[str, str]] = field(default_factory=set)
    #: The packages that have to come again, and the first reason.
    failed: set[int] = field(default_factory=set)
    why: str = ""

    def fail(self, package: int, why: str) -> None:
        """This package has to come again."""
        self.failed.add(package)
        self.why = self.why or why

    def facts(self) -> dict[str, Any]:
        """For the log."""
        return {
            "lines": self.lines,
            "sent": self.sent,
            "requests": self.requests,
            "deadLetters": self.dead_letters,
        }


def packages_of(event: Any) -> tuple[str, list[Package]]:
    """Who delivered an event (``logs``, ``kinesis``, ``firehose``), and the batches in it.

    Raises:
        ShippingError: It has none.
    """
    found = event if isinstance(event, dict) else {}
    logs = found.get("awslogs")
    if isinstance(logs, dict) and isinstance(logs.get("data"), str):
        return "logs", [Package(logs["data"])]
    records = found.get("Records")
    if isinstance(records, list) and records and all(map(_is_kinesis, records)):
        return "kinesis", [
            Package(one["kinesis"]["data"], str(one["kinesis"].get("sequenceNumber", "")))
            for one in records
        ]
    records = found.get("records")
    if isinstance(records, list) and "deliveryStreamArn" in found and all(map(_is_data, records)):
        return "firehose", [Package(one["data"], str(one.get("recordId", ""))) for one in records]
    raise ShippingError(
        "This function ships logs, and the event is none of a log subscription's, nor of Kinesis or"
        " Firehose with such batches in it; look at what invokes it."
    )


def _is_kinesis(record: Any) -> bool:
    own = record.get("kinesis") if isinstance(record, dict) else None
    return isinstance(own, dict) and isinstance(own.get("data"), str)


def _is_data(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("data"), str)


def ship(
    packages: list[Package],
    sink: Sink,
    *,
    own_groups: frozenset[str],
    policy: DeadLetter | None = None,
    left_s: Callable[[], float] = lambda: float("inf"),
) -> Shipped:
    """Ship the lines of packed batches.

    Args:
        packages: In the order in which they came.
        sink: Where to.
        own_groups: The log groups of the function itself, whose lines are never shipped.
        policy: Where what is refused goes; None lets the package come again.
        left_s: How many seconds are left.
    """
    done = Shipped()
    waiting: list[tuple[int, list[Line]]] = []
    size = 0
    for number, package in enumerate(packages):
        lines = _lines(number, package, done, own_groups, policy)
        if lines:
            waiting.append((number, lines))
            size += sum(len(line.message) for line in lines)
        if size > ROUND:
            _send(waiting, sink, done, policy, left_s)
            waiting, size = [], 0
    if waiting:
        _send(waiting, sink, done, policy, left_s)
    return done


def _lines(
    number: int,
    package: Package,
    done: Shipped,
    own_groups: frozenset[str],
    policy: DeadLetter | None,
) -> list[Line]:
    try:
        found = batches(package.data)
    except UnreadableError as error:
        if policy is None:
            done.fail(number, str(error))
        else:
            _bury(done, policy, [(number, deadletters.unreadable(_bytes(package)), str(error))])
        return []
    lines: list[Line] = []
    for batch in found:
        of_batch = lines_of(batch)
        if of_batch and of_batch[0].origin.log_group in own_groups:
            origin = of_batch[0].origin
            done.own += len(of_batch)
            done.own_filters |= {(origin.log_group, name) for name in origin.filters}
            continue
        lines += of_batch
    done.lines += len(lines)
    return lines


def _bytes(package: Package) -> bytes:
    from binascii import a2b_base64

    try:
        return a2b_base64(package.data)
    except ValueError:
        return package.data.encode("utf-8", "replace")


def _send(
    waiting: list[tuple[int, list[Line]]],
    sink: Sink,
    done: Shipped,
    policy: DeadLetter | None,
    left_s: Callable[[], float],
) -> None:
    whose = {id(line): number for number, lines in waiting for line in lines}
    report = deliver(_all(waiting), sink, left_s=left_s)
    done.sent += report.sent
    done.requests += report.requests
    for line in report.left:
        done.fail(whose[id(line)], report.why)
    if not report.refused:
        return
    if policy is None:
        for line, why in report.refused:
            done.fail(whose[id(line)], why)
        return
    of_packages: dict[int, list[tuple[Line, str]]] = {}
    for line, why in report.refused:
        of_packages.setdefault(whose[id(line)], []).append((line, why))
    _bury(
        done,
        policy,
        [
            (number, batch, why)
            for number, refused in of_packages.items()
            for batch, why, _ in deadletters.letters_of(refused)
        ],
    )


def _all(waiting: list[tuple[int, list[Line]]]) -> Iterator[Line]:
    for _, lines in waiting:
        yield from lines


def _bury(
    done: Shipped, policy: DeadLetter, batches_: list[tuple[int, deadletters.RefusedBatch, str]]
) -> None:
    problems = deadletters.write(policy, [(batch, why) for _, batch, why in batches_])
    for (number, _, why), problem in zip(batches_, problems, strict=True):
        if problem:
            done.fail(number, f"{why}; and no dead letter of it: {problem}")
        else:
            done.dead_letters += 1


def answer(kind: str, packages: list[Package], done: Shipped) -> Any:
    """What the function returns to whoever delivered the event.

    Raises:
        ShippingError: All of it has to come again.
    """
    if kind == "kinesis":
        # The stream goes on from the first that is named.
        failed = [{"itemIdentifier": packages[number].name} for number in sorted(done.failed)[:1]]
        return {"batchItemFailures": failed}
    if done.failed:
        raise ShippingError(f"Logs were not shipped, and have to come again: {done.why}")
    if kind == "firehose":
        # What Firehose itself delivers is not ours to change.
        return {
            "records": [
                {"recordId": one.name, "result": "Ok", "data": one.data} for one in packages
            ]
        }
    return done.facts()


def own_groups_of(environment: Any) -> frozenset[str]:
    """The log groups of this function, as Lambda tells them."""
    name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "")
    found = {environment.get("AWS_LAMBDA_LOG_GROUP_NAME", ""), f"{OF_LAMBDA}{name}" if name else ""}
    return frozenset(found - {""})
