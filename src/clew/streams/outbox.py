"""Dead letters on their way: to a queue or a topic in batches, or to a bucket one by one."""

from __future__ import annotations

import time

from clew import wire
from clew.correlation import use
from clew.forward.sending import going_out
from clew.forward.switches import is_on
from clew.invocation import Sent
from clew.log.encode import as_text
from clew.log.internal import failed
from clew.streams.clients import client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from clew.correlation import Correlation
    from clew.streams.envelope import Envelope
    from clew.streams.policy import DeadLetter
    from clew.streams.target import Target

#: SQS API reference, "SendMessageBatch", and SNS API reference, "PublishBatch": ten entries.
MAX_ENTRIES = 10
#: Bytes that every queue and topic takes, of one message and of a batch together; those that were
#: set so take four times as many ("Amazon SQS message quotas": 1 MiB).
EVERY_MESSAGE = 262_144
LARGE_MESSAGE = 1_048_576
#: What the correlation's attribute takes of a message, at most.
ATTRIBUTES = 8_192
#: How often an entry is sent that the service failed on, and the first wait between (seconds).
TRIES, PAUSE_S = 3, 0.05
#: What a write is taken to need before the first one.
FIRST_GUESS_S = 0.5

#: The slowest write of this process, by target, in seconds.
_slowest: dict[Target, float] = {}


class Letter:
    """An envelope and the correlation of the record in it."""

    __slots__ = ("correlation", "envelope", "group", "text")

    def __init__(self, envelope: Envelope, correlation: Correlation, group: str) -> None:
        self.envelope = envelope
        self.correlation = correlation
        #: What keeps its order on a FIFO queue or topic.
        self.group = group
        self.text = envelope.to_json()

    def size(self) -> int:
        """Bytes that it takes of a message."""
        return len(self.text.encode("utf-8", "surrogatepass")) + ATTRIBUTES


def slowest_s(policy: DeadLetter) -> float:
    """What the slowest write to a policy's target has taken in this process, in seconds."""
    return _slowest.get(policy.target, FIRST_GUESS_S)


def write(policy: DeadLetter, letters: list[Letter]) -> list[str]:
    """Write ``letters`` to the target of ``policy``: why each was not written, or "".

    Never raises an `Exception`.
    """
    started = time.perf_counter()
    try:
        if policy.target.service == "s3":
            return [_tried(_put, policy.target, letter) for letter in letters]
        return _send(policy, letters)
    finally:
        took = time.perf_counter() - started
        known = _slowest.get(policy.target, 0.0)
        _slowest[policy.target] = max(known, took)


def _tried(action: Any, *arguments: Any) -> str:
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001  (whatever it was, the letter is not written)
        return f"{type(error).__name__}: {as_text(error)}"
    return ""


def object_key(target: Target, envelope: Envelope) -> str:
    """The name of an envelope's object: prefix, function, day, id.

    Of a life after the first one, its number too, so that no object is written over.
    """
    life = f"-{envelope.lives}" if envelope.lives > 1 else ""
    day = time.strftime("%Y/%m/%d", time.gmtime())
    return f"{target.prefix}{envelope.function or 'function'}/{day}/{envelope.id}{life}.json"


def _put(target: Target, letter: Letter) -> str:
    """Write the whole envelope as an object; its name."""
    key = object_key(target, letter.envelope)
    try:
        with use(letter.correlation):
            client("s3", target.region).put_object(
                Bucket=target.address,
                Key=key,
                Body=letter.text.encode("utf-8", "surrogatepass"),
                ContentType="application/json",
            )
    finally:
        _note({f"s3://{target.address}/{key}": letter}, by="target")
    return key


def _note(letters: dict[str, Letter], *, by: str) -> None:
    """Say in the ``invocation`` line which of its sends these letters are.

    And of which records: a call has letters of several. ``by`` is what they are found by, an
    attribute of `Sent`.
    """
    try:
        first = next(iter(letters.values()))
        invocation = first.correlation.invocation
        for sent in reversed(invocation.calls if invocation is not None else ()):
            if not letters:
                break
            if isinstance(sent, Sent) and (letter := letters.pop(getattr(sent, by), None)):
                sent.correlation = letter.correlation
                sent.position = {**sent.position, "deadLetter": letter.envelope.id}
    except Exception:  # noqa: BLE001  (the line never breaks the batch)
        failed("noting a dead letter")


def _send(policy: DeadLetter, letters: list[Letter]) -> list[str]:
    problems = [""] * len(letters)
    bodies: dict[int, str] = {}
    for index, letter in enumerate(letters):
        try:
            bodies[index] = _body(policy, letter)
        except Exception as error:  # noqa: BLE001  (the claim check was not written)
            problems[index] = f"{type(error).__name__}: {as_text(error)}"
    for group in _groups(bodies):
        for index, problem in _send_group(policy.target, letters, bodies, group).items():
            problems[index] = problem
    return problems


def _body(policy: DeadLetter, letter: Letter) -> str:
    """The text of a letter's message; with a claim check where it would be too large."""
    size = letter.size()
    if policy.claim_check is not None and size > EVERY_MESSAGE:
        key = _put(policy.claim_check, letter)
        return letter.envelope.with_claim(policy.claim_check.address, key).to_json()
    if size > LARGE_MESSAGE:
        message = (
            f"the dead letter has {size:,} bytes and a message holds {LARGE_MESSAGE:,}: give "
            "dead_letter a claim_check, a bucket for such records"
        )
        raise ValueError(message)
    return letter.text


def _groups(bodies: dict[int, str]) -> Iterator[list[int]]:
    """Which letters go in one call: ten at most, and as many as every queue takes together."""
    group: list[int] = []
    size = 0
    for index, body in bodies.items():
        own = len(body.encode("utf-8", "surrogatepass")) + ATTRIBUTES
        if group and (len(group) == MAX_ENTRIES or size + own > EVERY_MESSAGE):
            yield group
            group, size = [], 0
        group.append(index)
        size += own
    if group:
        yield group


def _send_group(
    target: Target, letters: list[Letter], bodies: dict[int, str], group: list[int]
) -> dict[int, str]:
    """Send one batch, and what the service failed on once more: the problems by index."""
    problems: dict[int, str] = {}
    pause_s = PAUSE_S
    for turn in range(TRIES):
        entries = [_entry(target, letters[index], bodies[index], index) for index in group]
        try:
            try:
                answer = _call(target, entries)
            finally:
                _note({letters[one].envelope.span_id: letters[one] for one in group}, by="span_id")
        except Exception as error:  # noqa: BLE001  (the SDK has tried again by itself)
            return problems | dict.fromkeys(group, f"{type(error).__name__}: {as_text(error)}")
        refused = {int(one["Id"]): one for one in answer.get("Failed", ())}
        known = {int(one["Id"]) for one in answer.get("Successful", ())} | refused.keys()
        problems = {index: why for index, why in problems.items() if index not in group}
        for index, one in refused.items():
            problems[index] = f"{one.get('Code')}: {one.get('Message')}"
        # What the answer does not name may not be there.
        problems |= dict.fromkeys({*group} - known, "the service did not answer for it")
        group = [index for index, one in refused.items() if not one.get("SenderFault")]
        if not group or turn == TRIES - 1:
            break
        time.sleep(pause_s)
        pause_s *= 2
    return problems


def _call(target: Target, entries: list[dict[str, Any]]) -> dict[str, Any]:
    found = client(target.service, target.region)
    answer: dict[str, Any]
    if target.service == "sqs":
        answer = found.send_message_batch(QueueUrl=target.address, Entries=entries)
    else:
        answer = found.publish_batch(TopicArn=target.address, PublishBatchRequestEntries=entries)
    return answer


def _entry(target: Target, letter: Letter, body: str, index: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": str(index)}
    entry["MessageBody" if target.service == "sqs" else "Message"] = body
    if is_on(target.service):
        # All fields in one attribute: it is taken as it is, whatever is in force here.
        context = going_out(letter.correlation).as_context(letter.envelope.span_id).encode()
        entry["MessageAttributes"] = {wire.PACKED: {"DataType": "Binary", "BinaryValue": context}}
    if target.is_fifo:
        entry["MessageGroupId"] = letter.group
        # An id that came before within five minutes is dropped, and a record may come again.
        entry["MessageDeduplicationId"] = f"{letter.envelope.id}-{letter.envelope.lives}"
    return entry
