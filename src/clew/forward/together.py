"""The messages of one call that are alike but for their spans and what the service answered."""

from __future__ import annotations

import os
import time

from clew.invocation import Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from clew.correlation import Correlation

#: The most that a call may have (Kinesis API reference, "PutRecords"; Firehose API reference,
#: "PutRecordBatch").
MOST = 500
#: Hex digits of a span that say which of the messages it is; the others are random.
_DIGITS = 3
_ENDS = [b"%03x" % number for number in range(MOST)]


class Together:
    """A sequence of `Sent`, each of which is made when somebody looks at it: most never are.

    Their spans are ``first`` and the numbers after it. ``names`` are the service's own names for
    a message: in the ``invocation`` line -> in its answer.
    """

    __slots__ = (
        "_made",
        "answers",
        "at",
        "correlation",
        "first",
        "length",
        "names",
        "operation",
        "outcome",
        "service",
        "target",
    )

    def __init__(
        self,
        service: str,
        operation: str,
        target: str,
        correlation: Correlation,
        *,
        length: int,
        names: Mapping[str, str],
    ) -> None:
        self.service = service
        self.operation = operation
        self.target = target
        self.correlation = correlation
        self.length = length
        self.names = names
        self.at = time.time()
        self.first = (int.from_bytes(os.urandom(8), "big") | 1 << 63) >> 4 * _DIGITS << 4 * _DIGITS
        self.outcome = "pending"
        #: What the service answered to each, once it took them all.
        self.answers: Sequence[Mapping[str, Any]] = ()
        self._made: dict[int, Sent] = {}

    @property
    def alike(self) -> bool:
        """Whether nobody looked at one, so that all of them are as they were."""
        return not self._made

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Sent]:
        return map(self.__getitem__, range(self.length))

    def __getitem__(self, number: int) -> Sent:
        sent = self._made.get(number)
        if sent is None:
            span_id = f"{self.first + number:016x}"
            sent = Sent(self.service, self.operation, self.target, span_id, self.correlation)
            sent.at = self.at
            self._answer(sent, number)
            self._made[number] = sent
        return sent

    def made(self) -> list[Sent]:
        """Those that somebody looked at."""
        return list(self._made.values())

    def spans(self) -> tuple[bytes, list[bytes]]:
        """How the spans of all begin, and how each of them ends, in ASCII."""
        return f"{self.first >> 4 * _DIGITS:013x}".encode(), _ENDS[: self.length]

    def taken(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """The service took all of them."""
        self.outcome = "ok"
        self.answers = answers
        for number, sent in self._made.items():
            self._answer(sent, number)

    def _answer(self, sent: Sent, number: int) -> None:
        sent.outcome = self.outcome
        if self.answers:
            answer = self.answers[number]
            sent.position = {name: answer.get(theirs, "") for name, theirs in self.names.items()}
