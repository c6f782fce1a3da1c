"""A queue looked at without losing anything: what is received is given back, or deleted."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from clew.dlq.errors import DlqError, told
from clew.dlq.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    import boto3

#: SQS API reference, "ReceiveMessage" and the batch operations: ten at once.
MAX_ENTRIES = 10
#: A receive that waits asks all servers of the queue, so that nothing means nothing ("Amazon SQS
#: short and long polling").
WAIT_S = 1
#: Seconds for which a message stays hidden if the command is killed while it looks.
LOOK_S = 60
#: The same while letters are sent: renewed as long as that takes.
WORK_S = 120
#: Of a queue with more messages than this, several calls are made at once.
MANY, AT_ONCE = 100, 8
#: A large one takes longer: a second more for so many messages, up to the longest (seconds).
_PER_SECOND, _LONGEST_S = 100, 900
#: A queue shows so many messages more, none of them new, before nothing new is expected of it.
_REPEATS = 10
#: With fewer receives to a message's end than this, looking is refused.
FEW_RECEIVES = 10
_NO_QUEUE = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"))


class Queue:
    """One SQS queue that was found."""

    def __init__(self, client: Any, url: str, attributes: dict[str, str], now: float) -> None:
        self.client = client
        self.url = url
        self.arn = attributes.get("QueueArn", "")
        self.name = self.arn.rpartition(":")[2] or url.rpartition("/")[2]
        self.is_fifo = self.name.endswith(".fifo")
        #: Seconds since 1970 by the service's clock, rounded up: what it has is not younger.
        self.found_at = now
        self.visible = _number(attributes, "ApproximateNumberOfMessages")
        self.hidden = _number(attributes, "ApproximateNumberOfMessagesNotVisible")
        self._redrive = attributes.get("RedrivePolicy", "")

    @property
    def max_receives(self) -> int | None:
        """After so many receives the queue's own redrive policy moves a message on; or None."""
        try:
            return int(json.loads(self._redrive)["maxReceiveCount"])
        except (KeyError, TypeError, ValueError):
            return None

    def check_look(self, *, force: bool) -> str:
        """A warning where looking counts, or "". Raises `DlqError` where it could move messages."""
        most = self.max_receives
        if most is None:
            return ""
        why = (
            f"the queue {self.name} moves a message to its own dead-letter queue after {most} "
            "receives, and looking is one"
        )
        if most < FEW_RECEIVES and not force:
            raise DlqError(
                f"Not looked at: {why}; take its redrive policy off, or look with --force."
            )
        return f"{why[0].upper()}{why[1:]}."


def find_queue(session: boto3.Session, given: str) -> Queue:
    """The queue of a name, URL or ARN. Raises `DlqError`."""
    from botocore.config import Config
    from botocore.exceptions import ClientError

    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    parts = given.split(":", 5)
    is_arn = parts[0] == "arn"
    if is_arn and (len(parts) != 6 or parts[2] != "sqs" or not parts[5]):
        raise DlqError(f"{given} is not the ARN of a queue; give a queue's name, URL or ARN.")
    with told(f"The queue {given}"):
        try:
            client: Any = session.client(
                "sqs", config=config, region_name=parts[3] if is_arn else None
            )
            if given.startswith(("https://", "http://")):
                url = given
            elif is_arn:
                url = client.get_queue_url(QueueName=parts[5], QueueOwnerAWSAccountId=parts[4])[
                    "QueueUrl"
                ]
            else:
                url = client.get_queue_url(QueueName=given)["QueueUrl"]
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_QUEUE:
                raise
            where = client.meta.region_name
            raise DlqError(
                f"There is no queue {given} in {where}; give a queue's name, URL or ARN."
            ) from None
    return Queue(client, url, answer.get("Attributes", {}), _clock(answer))


class Hold:
    """Messages that nobody else gets, from when they are received until they are let go.

    As a context manager it gives back at its end what was not deleted.
    """

    def __init__(self, queue: Queue, *, renew: bool = False) -> None:
        self.queue = queue
        least = WORK_S if renew else LOOK_S
        self._seconds = max(least, min(queue.visible // _PER_SECOND, _LONGEST_S))
        self._width = AT_ONCE if queue.visible > MANY and not queue.is_fifo else 1
        self._renew = renew
        #: Message id -> its latest receipt.
        self._held: dict[str, str] = {}
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> Hold:
        if self._renew:
            self._renewer = threading.Thread(target=self._go_on_holding, daemon=True)
            self._renewer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._renewer is not None:
            self._renewer.join()
        self.give_back()

    def messages(self, most: int) -> Iterator[Message]:
        """Those that are not held yet, until the queue shows no more, ``most`` at most."""
        taken = repeats = 0
        with ThreadPoolExecutor(self._width) as pool:
            while taken < most and repeats < _REPEATS:
                calls = [pool.submit(self._receive) for _ in range(self._width)]
                received = [one for call in calls for one in call.result()]
                if not received:
                    return
                fresh = [one for one, is_new in received if is_new]
                repeats = 0 if fresh else repeats + 1
                taken += len(fresh)
                for one in fresh:
                    yield _message(one, self.queue.arn)

    def _receive(self) -> list[tuple[dict[str, Any], bool]]:
        """Receive some, each with whether it is new. They are held from here on."""
        from botocore.exceptions import ClientError

        with told(f"The queue {self.queue.name}"):
            try:
                answer = self.queue.client.receive_message(
                    QueueUrl=self.queue.url,
                    MaxNumberOfMessages=MAX_ENTRIES,
                    VisibilityTimeout=self._seconds,
                    WaitTimeSeconds=WAIT_S,
                    AttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
            except ClientError as error:
                if error.response["Error"]["Code"].endswith("OverLimit"):
                    return []  # so many are in flight that it shows no more
                raise
        return [(one, self._take(one)) for one in answer.get("Messages", ())]

    def _take(self, received: dict[str, Any]) -> bool:
        """Whether it is new. Else its latest receipt is kept."""
        name = received["MessageId"]
        with self._lock:
            known = name in self._held or name in self._gone
            if name not in self._gone:
                self._held[name] = received["ReceiptHandle"]
        return not known

    def delete(self, messages: Iterable[Message]) -> dict[str, str]:
        """Delete them: why some could not be, by message id."""
        names = [one.id for one in messages]
        problems: dict[str, str] = {}
        for group in _groups(names):
            entries = self._entries(group)
            if not entries:
                continue
            with told(f"The queue {self.queue.name}"):
                answer = self.queue.client.delete_message_batch(
                    QueueUrl=self.queue.url, Entries=entries
                )
            failed = {int(one["Id"]): one for one in answer.get("Failed", ())}
            for index, name in enumerate(group):
                if index in failed:
                    one = failed[index]
                    problems[name] = f"{one.get('Code')}: {one.get('Message', '')}"
                    continue
                with self._lock:
                    self._held.pop(name, None)
                    self._gone.add(name)
        return problems

    def give_back(self) -> None:
        """Let all be seen again at once. What cannot be comes back by itself."""
        from botocore.exceptions import BotoCoreError, ClientError

        with self._lock:
            names = list(self._held)
        try:
            with ThreadPoolExecutor(self._width) as pool:
                list(pool.map(lambda group: self._change(group, 0), _groups(names)))
        except (BotoCoreError, ClientError):
            return
        with self._lock:
            self._held.clear()

    def _change(self, names: list[str], seconds: int) -> None:
        entries = [one | {"VisibilityTimeout": seconds} for one in self._entries(names)]
        if entries:
            self.queue.client.change_message_visibility_batch(
                QueueUrl=self.queue.url, Entries=entries
            )

    def _entries(self, names: list[str]) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"Id": str(index), "ReceiptHandle": self._held[name]}
                for index, name in enumerate(names)
                if name in self._held
            ]

    def _go_on_holding(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while not self._ended.wait(self._seconds / 3):
            with self._lock:
                names = list(self._held)
            for group in _groups(names):
                if self._ended.is_set():
                    return
                try:
                    self._change(group, self._seconds)
                except (BotoCoreError, ClientError):
                    break  # and the next time again


def _message(received: dict[str, Any], queue_arn: str) -> Message:
    return Message(
        received["MessageId"],
        received.get("Body", ""),
        received.get("Attributes", {}),
        received.get("MessageAttributes", {}),
        queue_arn,
        received["ReceiptHandle"],
    )


def _groups(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), MAX_ENTRIES):
        yield names[start : start + MAX_ENTRIES]


def _number(attributes: dict[str, str], name: str) -> int:
    found = attributes.get(name, "0")
    return int(found) if found.isdecimal() else 0


def _clock(answer: dict[str, Any]) -> float:
    """The service's clock, to the second that is not over yet."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(date).timestamp() + 1.0
    except (TypeError, ValueError):
        return time.time()
