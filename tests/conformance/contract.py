"""What a case says, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg"


@dataclass(frozen=True)
class Page:
    """A page of the AWS documentation."""

    title: str
    url: str


@dataclass(frozen=True)
class Put:
    """A record that is put; for DynamoDB, an item that is written."""

    #: What the case calls it.
    name: str
    key: str = "k"
    #: The data; JSON with the name in it if not given.
    data: bytes | None = None


@dataclass(frozen=True)
class Told:
    """What an on-failure destination is told."""

    first: str
    last: str
    condition: str = "RetryAttemptsExhausted"
    invocations: int = 1
    #: "Unhandled", or None where the function answered; "absent" where there is no response.
    function_error: str | None = "Unhandled"

    def __str__(self) -> str:
        return (
            f"{self.first} to {self.last}, {self.condition}, after {self.invocations}, "
            f"error {self.function_error}"
        )


@dataclass(frozen=True)
class Case:
    """One rule of the contract, with a mapping, records and a function that show it."""

    name: str
    #: The rule, in one sentence.
    rule: str
    page: Page
    #: Put before the mapping is made.
    records: tuple[Put, ...] = ()
    #: Put when it reads, each a little after the one before it.
    later: tuple[Put, ...] = ()
    #: Of AWS::Lambda::EventSourceMapping, beside the ARNs and TRIM_HORIZON.
    properties: Mapping[str, Any] = field(default_factory=dict)
    source: str = "kinesis"
    #: How often an invocation with this record fails; -1 for always.
    fails: Mapping[str, int] = field(default_factory=dict)
    #: What the function returns, first to last, then the last again. "$name" stands for a
    #: sequence number.
    answers: tuple[Any, ...] = (None,)
    #: Called with the event instead, where the answer depends on it.
    answer: Callable[[dict[str, Any]], Any] | None = None
    #: The invocations, in order, by the names of their records; None where `check` says it all.
    batches: tuple[tuple[str, ...], ...] | None = ()
    #: What an SQS queue as on-failure destination is told; None if there is none.
    told: tuple[Told, ...] | None = None
    #: What else has to be so: why it is not, or "".
    check: Callable[[Seen], str] | None = None
    #: The clock goes on by this when the first failure was seen. The emulator's own mappings are
    #: given a maximum record age of a second instead, which AWS does not take.
    ahead_s: float = 0.0
    #: Invocations that are throttled before the first that is not.
    throttled: int = 0
    #: The kind of destination: "sqs", "sns" or "s3".
    destination: str = "sqs"
    #: Shards to begin with, and how many of those are split when the first batch was seen.
    shards: int = 1
    split: bool = False
    #: Whether there is no end to it: what is compared comes while it goes on.
    endless: bool = False


@dataclass
class Seen:
    """What was seen of a case."""

    case: Case
    #: The events that the function got, in order.
    events: list[dict[str, Any]] = field(default_factory=list)
    #: What the destination was told.
    told: list[dict[str, Any]] = field(default_factory=list)
    #: The names of the records by sequence number.
    names: dict[str, str] = field(default_factory=dict)
    #: The source's ARN.
    arn: str = ""

    @property
    def batches(self) -> list[tuple[str, ...]]:
        """The invocations by the names of their records."""
        return [tuple(self.names_of(event)) for event in self.events]

    def names_of(self, event: dict[str, Any]) -> list[str]:
        """The names of an event's records."""
        return [self.names.get(sequence_of(record), "?") for record in event["Records"]]

    def sequence(self, name: str) -> str:
        """The sequence number of a record."""
        return next((number for number, known in self.names.items() if known == name), "")


def sequence_of(record: dict[str, Any]) -> str:
    """The sequence number in a record of an event."""
    number: str = (record.get("kinesis") or {}).get("sequenceNumber") or record["dynamodb"][
        "SequenceNumber"
    ]
    return number


def difference(seen: Seen) -> str:
    """How what was seen differs from what the case says, in a few words; "" if it does not."""
    case = seen.case
    if case.batches is not None and seen.batches != list(case.batches):
        return f"invoked with {_say(seen.batches)} and not {_say(case.batches)}"
    if case.told is not None:
        told = [_told(each, seen) for each in seen.told]
        if told != list(case.told):
            return f"told the destination {_list(told)} and not {_list(case.told)}"
    if case.check is None:
        return ""
    return case.check(seen) if seen.events else "the function is never invoked"


def _told(said: dict[str, Any], seen: Seen) -> Told:
    info = said.get("KinesisBatchInfo") or said["DDBStreamBatchInfo"]
    context = said["requestContext"]
    response = said.get("responseContext")
    return Told(
        seen.names.get(info["startSequenceNumber"], "?"),
        seen.names.get(info["endSequenceNumber"], "?"),
        context["condition"],
        context["approximateInvokeCount"],
        "absent" if response is None else response["functionError"],
    )


def _list(told: Sequence[Told]) -> str:
    return "; ".join(map(str, told)) or "nothing"


def _say(batches: Sequence[tuple[str, ...]]) -> str:
    said = []
    for batch, same in groupby(batches):
        times = len(list(same))
        said.append(f"[{' '.join(batch)}]" + (f" {times} times" if times > 1 else ""))
    return " ".join(said) or "nothing"
