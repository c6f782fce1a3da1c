"""Sends parts: to streams, queues, topics and functions."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from clew.dlq.errors import DlqError
from clew.dlq.parts import Part, ToFunction, ToQueue, ToStream, ToTopic
from clew.streams.outbox import ATTRIBUTES, EVERY_MESSAGE, MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import boto3

#: Why a stream refuses one record, whatever else is in the request.
_ITS_OWN = frozenset(("ValidationException", "InvalidArgumentException", "SerializationException"))
#: How long a stream may take nothing.
_PATIENCE_S = 20.0
BEHIND = "it stays behind one of its key that was not sent"


class Pace:
    """So many a second, at most; None for as many as go."""

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._due = time.monotonic()

    def at_once(self, most: int) -> int:
        """How many may go together, so that the rate is even."""
        return most if self._per_second is None else max(min(int(self._per_second / 4), most), 1)

    def wait(self, count: int) -> None:
        """Wait until ``count`` more may go."""
        if self._per_second is None:
            return
        now = time.monotonic()
        time.sleep(max(self._due - now, 0))
        self._due = max(self._due, now) + count / self._per_second


class Sender:
    """Sends, and remembers behind what nothing may be sent."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._urls: dict[str, str] = {}
        self._stopped: set[Hashable] = set()

    def send(self, parts: Sequence[Part]) -> list[str]:
        """Send them in their order: why each was not sent, or ""."""
        problems: list[str] = []
        start = 0
        while start < len(parts):
            end = start + 1
            while end < len(parts) and _together(parts[start], parts[end]):
                end += 1
            problems += self._send_alike(list(parts[start:end]))
            start = end
        for part, problem in zip(parts, problems, strict=True):
            if problem and part.order is not None:
                self._stopped.add(part.order)
        return problems

    def _send_alike(self, parts: list[Any]) -> list[str]:
        from botocore.exceptions import BotoCoreError, ClientError

        free = [part for part in parts if part.order is None or part.order not in self._stopped]
        if not free:
            return [BEHIND] * len(parts)
        first = free[0]
        try:
            if isinstance(first, ToStream):
                found = self._to_stream(free)
            elif isinstance(first, ToQueue):
                found = self._to_queue(free)
            elif isinstance(first, ToTopic):
                found = [self._to_topic(first)]
            else:
                found = [self._to_function(first)]
        except ClientError as error:
            found = [_say(error)] * len(free)
        except (BotoCoreError, DlqError) as error:
            found = [str(error)] * len(free)
        said = iter(found)
        return [
            BEHIND if part.order is not None and part.order in self._stopped else next(said)
            for part in parts
        ]

    def _to_stream(self, parts: list[ToStream]) -> list[str]:
        from clew.streams.producer import PutFailed, put

        client = self._client("kinesis", parts[0].stream.split(":")[3])
        entries = [_entry(part) for part in parts]
        try:
            put(parts[0].stream, entries, client=client, give_up_after=_PATIENCE_S)
        except PutFailed as error:
            unsent = {id(one) for one in error.unsent}
            code = _code(error.__cause__)
            if code in _ITS_OWN and len(parts) > 1:
                return self._one_by_one(parts, [id(one) in unsent for one in entries])
            why = _say(error.__cause__) if code else str(error).rpartition(". ")[0]
            if code == "ResourceNotFoundException":
                why = f"there is no stream {parts[0].stream} any more"
            return [why if id(one) in unsent else "" for one in entries]
        return [""] * len(parts)

    def _one_by_one(self, parts: list[ToStream], unsent: list[bool]) -> list[str]:
        """Find those that the stream refuses for their own sake."""
        problems: list[str] = []
        stopped: set[Hashable] = set()
        for part, is_unsent in zip(parts, unsent, strict=True):
            problem = BEHIND if part.order in stopped else ""
            if is_unsent and not problem:
                (problem,) = self._to_stream([part])
            if problem:
                stopped.add(part.order)
            problems.append(problem)
        return problems

    def _to_queue(self, parts: list[ToQueue]) -> list[str]:
        client = self._client("sqs", parts[0].queue.split(":")[3])
        url = self._url(client, parts[0].queue)
        problems: list[str] = []
        for group in _batches(parts):
            entries = [
                _message(part) | {"Id": str(index), "MessageBody": part.body}
                for index, part in enumerate(group)
            ]
            try:
                answer = client.send_message_batch(QueueUrl=url, Entries=entries)
            except Exception as error:  # noqa: BLE001  (the groups before it are sent)
                problems += [_say(error)] * len(group)
                continue
            failed = {
                one["Id"]: f"{one.get('Code')}: {one.get('Message', '')}"
                for one in answer.get("Failed", ())
            }
            done = {one["Id"] for one in answer.get("Successful", ())}
            problems += [
                ""
                if one["Id"] in done
                else failed.get(one["Id"], "the queue did not answer for it")
                for one in entries
            ]
        return problems

    def _to_topic(self, part: ToTopic) -> str:
        client = self._client("sns", part.topic.split(":")[3])
        subject = {"Subject": part.subject} if part.subject else {}
        client.publish(TopicArn=part.topic, Message=part.body, **subject, **_message(part))
        return ""

    def _to_function(self, part: ToFunction) -> str:
        is_arn = part.function.startswith("arn:")
        client = self._client("lambda", part.function.split(":")[3] if is_arn else "")
        kind = "RequestResponse" if part.is_waited_for else "Event"
        answer = client.invoke(
            FunctionName=part.function, InvocationType=kind, Payload=part.payload
        )
        return _failure(answer) if part.is_waited_for else ""

    def _client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            from botocore.config import Config

            config = Config(
                # What Lambda has not answered may be running: it is not started once more.
                retries={"mode": "standard", "total_max_attempts": 1 if service == "lambda" else 4},
                read_timeout=910 if service == "lambda" else 30,
                tcp_keepalive=True,
            )
            where = {"region_name": region} if region else {}
            make: Any = self._session.client  # the stubs know services by literal names only
            self._clients[key] = make(service, config=config, **where)
        return self._clients[key]

    def _url(self, client: Any, arn: str) -> str:
        if arn not in self._urls:
            account, name = arn.split(":")[4:6]
            self._urls[arn] = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)[
                "QueueUrl"
            ]
        return self._urls[arn]


def _together(first: Part, second: Part) -> bool:
    """Whether two parts may go in one call."""
    if isinstance(first, ToStream) and isinstance(second, ToStream):
        return first.stream == second.stream
    if isinstance(first, ToQueue) and isinstance(second, ToQueue):
        return first.queue == second.queue and first.order is None
    return False


def _batches(parts: list[ToQueue]) -> Iterator[list[ToQueue]]:
    """Ten at most, and together no more than every queue takes."""
    batch: list[ToQueue] = []
    size = 0
    for part in parts:
        own = len(part.body.encode("utf-8", "surrogatepass")) + ATTRIBUTES
        if batch and (len(batch) == MAX_ENTRIES or size + own > EVERY_MESSAGE):
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += own
    if batch:
        yield batch


def _entry(part: ToStream) -> dict[str, Any]:
    found: dict[str, Any] = {"PartitionKey": part.key, "Data": part.data}
    return found | ({"ExplicitHashKey": part.hash_key} if part.hash_key else {})


def _message(part: ToQueue | ToTopic) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if part.attributes:
        found["MessageAttributes"] = dict(part.attributes)
    if part.group:
        found["MessageGroupId"] = part.group
    if part.deduplication:
        found["MessageDeduplicationId"] = part.deduplication
    return found


def _failure(answer: dict[str, Any]) -> str:
    """Why a function did not take the record, as far as it says so."""
    body = answer["Payload"].read()
    try:
        value = json.loads(body) if body else None
    except ValueError:
        value = None
    if kind := answer.get("FunctionError"):
        said = value if isinstance(value, dict) else {}
        told = ": ".join(str(said[name]) for name in ("errorType", "errorMessage") if name in said)
        return f"the function failed ({told or kind})"
    if isinstance(value, dict) and value.get("batchItemFailures"):
        return "the function failed: it returned the record in batchItemFailures"
    return ""


def _code(error: BaseException | None) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _say(error: BaseException | None) -> str:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return str(error)
    said = response.get("Error", {})
    return f"{said.get('Code', 'an error')}: {str(said.get('Message', '')).strip()}"
