"""What happens when a record fails: small frozen values that compose, passed as ``on_failure``.

    retry(times=2, within="5s", then=dead_letter(queue))

reads as it works: try again, twice at most and no longer than five seconds; after that, send the
record to the queue. What a policy is made of can be looked at: `Policy.chain`.
"""

from __future__ import annotations

from clew.errors import ClewError
from clew.streams.duration import seconds, written
from clew.streams.target import Target, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from clew.streams.duration import Duration

    Kinds = type[BaseException] | tuple[type[BaseException], ...]
else:

    def overload(signature):
        """At run time nothing; `typing` would cost a cold start."""
        return signature


#: SQS API reference, "ChangeMessageVisibility": 12 hours at most.
MAX_VISIBILITY_S = 43_200.0
#: A wait between two attempts grows up to this, in the function.
MAX_WAIT_S = 60.0
#: Attempts that nobody means; the wait is doubled that often.
MAX_TIMES = 1000


class Policy:
    """What a handler does with a record that failed.

    ``kind`` names it: ``"halt"``, ``"skip"``, ``"retry"``, ``"dead_letter"``. ``then`` is the
    policy that comes after it, or None.
    """

    __slots__ = ()
    kind = ""

    @property
    def then(self) -> Policy | None:
        """What happens to a record that this policy is done with; None where it is the last."""
        return None

    def chain(self) -> tuple[Policy, ...]:
        """This policy and those after it, in the order in which they take over."""
        return (self,) if self.then is None else (self, *self.then.chain())

    def __setattr__(self, name: str, value: object) -> None:
        message = "a policy cannot be changed; make another one"
        raise AttributeError(message)

    def _values(self) -> tuple[object, ...]:
        return ()

    def __repr__(self) -> str:
        return f"{self.kind}()"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Policy)
            and type(self) is type(other)
            and self._values() == other._values()
        )

    def __hash__(self) -> int:
        return hash((self.kind, self._values()))


class Halt(Policy):
    """Return the record, and what has to stay behind it, to the event source. See `halt`."""

    __slots__ = ()
    kind = "halt"


class Skip(Policy):
    """Log the failure and go on. See `skip`."""

    __slots__ = ()
    kind = "skip"


class Retry(Policy):
    """Try again. See `retry`."""

    __slots__ = ("_then", "backoff_s", "in_queue", "times", "unless", "within_s")
    kind = "retry"

    #: Attempts after the first one; None for any number within ``within_s``.
    times: int | None
    #: Seconds from the first attempt; None for any time.
    within_s: float | None
    #: The wait before the first of them, in seconds; doubled before each next one.
    backoff_s: float
    #: Whether the wait is the queue's, not the function's (SQS only).
    in_queue: bool
    #: Kinds of exceptions for which no attempt is made.
    unless: tuple[type[BaseException], ...]
    _then: Policy

    def __init__(
        self,
        times: int | None,
        within_s: float | None,
        backoff_s: float,
        then: Policy,
        *,
        in_queue: bool = False,
        unless: tuple[type[BaseException], ...] = (),
    ) -> None:
        values = (then, backoff_s, in_queue, times, unless, within_s)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def then(self) -> Policy:
        """What happens when the attempts are used up."""
        return self._then

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __repr__(self) -> str:
        parts = []
        if self.times is not None:
            parts.append(f"times={self.times}")
        if self.within_s is not None:
            parts.append(f"within={written(self.within_s)!r}")
        parts.append(f"backoff={written(self.backoff_s)!r}")
        if self.unless:
            parts.append(f"unless=({', '.join(kind.__name__ for kind in self.unless)},)")
        if self.in_queue:
            parts.append("in_queue=True")
        return f"retry({', '.join(parts)}, then={self.then!r})"


class DeadLetter(Policy):
    """Write the record to a queue, a topic or a bucket, and go on. See `dead_letter`."""

    __slots__ = ("claim_check", "target")
    kind = "dead_letter"

    target: Target
    claim_check: Target | None

    def __init__(self, target: Target, claim_check: Target | None = None) -> None:
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "claim_check", claim_check)

    def _values(self) -> tuple[object, ...]:
        return (self.target, self.claim_check)

    def __repr__(self) -> str:
        claim = f", claim_check={self.claim_check!r}" if self.claim_check else ""
        return f"dead_letter({self.target!r}{claim})"


def halt() -> Policy:
    """Stop at the failure, and leave the record to its source, which delivers it again.

    Of a stream (Kinesis, DynamoDB) nothing after the record is run: the service begins again
    there. With lanes, what stops is the record's own key. Of a FIFO queue the record's message
    group stops, of a Kafka topic its partition, of a standard queue nothing but the message
    itself. Nothing is lost until the source's own limits (retry attempts, record age, retention,
    the queue's receives) are reached.
    """
    return Halt()


def skip() -> Policy:
    """Log the failure as an ERROR with the record's own ids, and go on with the next record.

    The record is lost to this function. Its invocation still counts as a success.
    """
    return Skip()


@overload
def retry(
    times: int,
    within: Duration | None = None,
    backoff: Duration = "100ms",
    *,
    then: Policy,
    unless: Kinds = (),
    in_queue: bool = False,
) -> Policy: ...
@overload
def retry(  # noqa: F811
    *,
    within: Duration,
    backoff: Duration = "100ms",
    then: Policy,
    unless: Kinds = (),
    in_queue: bool = False,
) -> Policy: ...


def retry(  # noqa: F811  (overloads, without importing typing at run time)
    times: int | None = None,
    within: Duration | None = None,
    backoff: Duration = "100ms",
    *,
    then: Policy | None = None,
    unless: Kinds = (),
    in_queue: bool = False,
) -> Policy:
    """Try a record again before anything else happens to it.

    Args:
        times: Attempts after the first one, at most. One of this and ``within`` has to be given.
        within: The time from the first attempt, after which no other begins. An attempt that has
            begun is not ended by it: the handler's own time-outs bound the whole.
        backoff: The wait before the first of them, doubled before each next one (a minute at
            most); each is shortened by up to a half, at random. 0 means none.
        then: The policy for a record that failed for good.
        unless: Kinds of exceptions that another attempt does not help: those go to ``then`` at
            once.
        in_queue: Of SQS messages, wait in the queue and not in the function: the message is
            returned, and hidden for ``backoff`` (12 hours at most) by its visibility time-out.
            ``times`` then counts the queue's own receives, ``within`` begins with the first of
            them. Its redrive policy needs a larger ``maxReceiveCount``, or none.

    Attempts also stop when the function's time is nearly up; the record is then returned to its
    source, not given to ``then``. Raises `ClewError` for numbers that cannot be meant.
    """
    if times is None and within is None:
        message = "retry needs times= or within=, or it would never end."
        raise ClewError(message)
    if times is not None and (
        isinstance(times, bool) or not isinstance(times, int) or not 0 < times <= MAX_TIMES
    ):
        message = f"times of retry has to be a whole number from 1 to {MAX_TIMES}, not {times!r}."
        raise ClewError(message)
    if not isinstance(then, Policy):
        message = (
            "retry needs then=, for a record that failed for good: clew.halt(), clew.skip() or "
            f"clew.dead_letter(...), not {then!r}."
        )
        raise ClewError(message)
    if isinstance(then, Retry) and (in_queue or not then.in_queue):
        message = (
            "then= of retry cannot be another retry, except one in the queue after one in the "
            "function (in_queue=True): give times= and within= to one of them."
        )
        raise ClewError(message)
    backoff_s = seconds(backoff, "backoff of retry", zero=True)
    if in_queue and backoff_s > MAX_VISIBILITY_S:
        message = f"backoff of retry in a queue has to be 12 hours at most, not {backoff!r}."
        raise ClewError(message)
    within_s = None if within is None else seconds(within, "within of retry")
    return Retry(times, within_s, backoff_s, then, in_queue=in_queue, unless=_kinds(unless))


def dead_letter(target: str, *, claim_check: str | None = None) -> Policy:
    """Write the record with its error to ``target``, and go on with the next one.

    Args:
        target: The URL or ARN of an SQS queue, the ARN of an SNS topic, or ``s3://bucket/prefix``.
        claim_check: ``s3://bucket/prefix`` for records that a message has no room for: the
            message then says where they are.

    See docs/reference/dead-letter.md for what is written. A record whose dead letter could not be
    written is returned to its source. boto3 is needed: Lambda's runtime has it. Raises `ClewError`
    for what is no target.
    """
    found = parse(target)
    claim = None
    if claim_check is not None:
        if found.service == "s3":
            message = "claim_check is for messages; an object in S3 has room for every record."
            raise ClewError(message)
        claim = parse(claim_check, only_s3=True, name="claim_check of dead_letter")
    return DeadLetter(found, claim)


def _kinds(unless: Any) -> tuple[type[BaseException], ...]:
    kinds = unless if isinstance(unless, tuple) else (unless,)
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        message = f"unless of retry has to be kinds of exceptions, not {unless!r}."
        raise ClewError(message)
    return tuple(kinds)
