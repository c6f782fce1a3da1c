"""Put records into a Kinesis stream: all of them, and those of one key in their order."""

from __future__ import annotations

import json
import os
import time
from collections import deque

from clew.errors import ClewError
from clew.streams import aggregate as kpl
from clew.streams.clients import client as own_client
from clew.streams.duration import seconds, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from typing import Any

    from clew.streams.duration import Duration

    #: ``(partition key, data)``, or what `PutRecords` takes as an entry.
    Given = tuple[str, Any] | Mapping[str, Any]

#: Kinesis API reference, "PutRecords": 500 records a request.
MAX_RECORDS = 500
#: Bytes of a request, with room for what is stamped on; streams take 10 MiB today and 5 before.
MAX_REQUEST = 4_500_000
#: Records and bytes that are read ahead: with fewer, a busy key would be all that is in hand.
MAX_WAITING, MAX_WAITING_BYTES = 5_000, 16_000_000
#: The first wait after a refusal, and the longest (seconds).
PAUSE_S, MAX_PAUSE_S = 0.05, 2.0
#: Errors of a whole request after which it may be sent again, by their codes.
_AGAIN = frozenset(
    (
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    )
)


class Progress:
    """How far a `put` is.

    ``taken`` records (and ``bytes`` of them) are in the stream; ``waiting`` were read and are not
    yet; ``refused`` counts how often the stream did not take one; ``requests`` were made.
    """

    __slots__ = ("bytes", "refused", "requests", "taken", "waiting")

    def __init__(self) -> None:
        self.taken = self.bytes = self.waiting = self.refused = self.requests = 0

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"Progress({counts})"


class PutFailed(ClewError):  # noqa: N818  (what a reader of the log looks for)
    """A stream does not take records. ``unsent`` are those that were read and are not in it.

    They are as they were given, in their order; what ``records`` would have given after them was
    not read.
    """

    def __init__(self, message: str, unsent: list[Any]) -> None:
        super().__init__(message)
        self.unsent = unsent


def put(
    stream: str,
    records: Iterable[Given],
    *,
    client: Any = None,
    aggregate: bool = False,
    ordered: bool = True,
    give_up_after: Duration = "30s",
    on_progress: Callable[[Progress], object] | None = None,
) -> Progress:
    """Put ``records`` into ``stream``, and come back when all of them are in it.

    They go out in batches by ``PutRecords``. What the stream does not take is sent again, after a
    wait that is doubled each time: a stream that is full slows the caller down and loses nothing.

    Args:
        stream: Its name or ARN.
        records: ``(partition key, data)`` each, where data is bytes, a text, or what becomes JSON;
            or an entry of ``PutRecords`` (``{"Data": …, "PartitionKey": …}``). Any iterable: it is
            read as the stream takes records, a few thousand ahead.
        client: Your own Kinesis client; boto3's default one if not given.
        aggregate: Put records of one partition key together into one, as the Kinesis Producer
            Library does: many small records cost less then. Their readers have to know the format
            (clew's handlers do).
        ordered: Keep the records of a partition key in their order. A request then has one record
            (or aggregated one) of each key, because the stream may take a later one of a request
            and refuse one before it. False puts as many into a request as there is room for.
        give_up_after: For how long the stream may take nothing at all.
        on_progress: Called with a `Progress` after each request; always the same object.

    The correlation in force goes along, as with any other send. A request whose answer was lost
    is sent again, so that its records can be in the stream twice. Raises `PutFailed` where the
    stream is not there, does not let the caller in, or takes nothing for ``give_up_after``; and
    `ClewError` for a record that is none, when all that came before it are in the stream. What
    ``records`` itself raises comes out then, too.
    """
    patience_s = seconds(give_up_after, "give_up_after of put")
    if client is None:
        region = stream.split(":")[3] if stream.startswith("arn:") else ""
        client = own_client("kinesis", region)
    where = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}
    queue = Queue(records, ordered=ordered, aggregate=aggregate)
    progress = Progress()
    refusals = 0
    last_taken = time.monotonic()
    while requests := queue.next_request():
        taken, why = _send(client, where, requests, queue)
        progress.requests += 1
        progress.refused += len(requests) - len(taken)
        for one in taken:
            progress.taken += len(one.entries)
            progress.bytes += one.size
        progress.waiting = queue.waiting
        if on_progress is not None:
            on_progress(progress)
        if taken:
            last_taken = time.monotonic()
        if not why:
            refusals = 0
            continue
        refusals += 1
        if time.monotonic() - last_taken > patience_s:
            message = (
                f"{stream} took no record for {written(patience_s)} ({why}): give it more shards, "
                f"or send less. {queue.waiting} records are left over."
            )
            raise PutFailed(message, queue.unsent())
        time.sleep(pause_s(refusals))
    if queue.problem is not None:
        raise queue.problem
    return progress


def pause_s(refusals: int) -> float:
    """The wait after so many refusals in a row: doubled each time, less up to a half by chance."""
    chance = int.from_bytes(os.urandom(4), "big") / 0xFFFF_FFFF
    return min(PAUSE_S * float(2 ** min(refusals - 1, 20)), MAX_PAUSE_S) * (1 - chance / 2)


class Entry:
    """One record of the user's."""

    __slots__ = ("data", "given", "index", "key", "size")

    def __init__(self, given: Any, index: int, key: tuple[str, str], data: bytes) -> None:
        self.given = given
        self.index = index
        #: Partition key and explicit hash key.
        self.key = key
        self.data = data
        self.size = len(data) + len(key[0].encode())


class Put:
    """One record of a request: one of the user's, or several in one."""

    __slots__ = ("data", "entries", "lane", "size")

    def __init__(self, lane: Hashable, entries: list[Entry], data: bytes, size: int) -> None:
        self.lane = lane
        self.entries = entries
        self.data = data
        self.size = size

    def parameters(self) -> dict[str, Any]:
        """As `PutRecords` takes it."""
        partition_key, explicit_hash_key = self.entries[0].key
        found: dict[str, Any] = {"Data": self.data, "PartitionKey": partition_key}
        return found | ({"ExplicitHashKey": explicit_hash_key} if explicit_hash_key else {})


class Queue:
    """What is read and not in the stream yet; pure but for reading ahead.

    Each key is a lane. A request has what stands first in each lane, in the order in which the
    lanes' turns come; a lane whose record was refused is first in the next one.
    """

    def __init__(self, records: Iterable[Given], *, ordered: bool, aggregate: bool) -> None:
        self._records: Iterator[Given] | None = iter(records)
        self._ordered = ordered
        self._aggregate = aggregate
        self._lanes: dict[Hashable, deque[Entry]] = {}
        self._turns: deque[Hashable] = deque()
        self._read = self._bytes = 0
        self.waiting = 0
        #: Why no more could be read, or None.
        self.problem: Exception | None = None

    def next_request(self) -> list[Put]:
        """What the next request has; nothing at the end."""
        self._read_ahead()
        requests: list[Put] = []
        size = 0
        while self._turns and len(requests) < MAX_RECORDS:
            one = self._first(self._turns[0])
            if requests and size + one.size > MAX_REQUEST:
                break
            self._turns.popleft()
            requests.append(one)
            size += one.size
        return requests

    def done(self, one: Put) -> None:
        """It is in the stream."""
        lane = self._lanes[one.lane]
        for entry in one.entries:
            lane.popleft()
            self.waiting -= 1
            self._bytes -= entry.size
        if lane:
            self._turns.append(one.lane)
        else:
            del self._lanes[one.lane]

    def again(self, refused: list[Put]) -> None:
        """They are not, and have the next turns."""
        self._turns.extendleft(one.lane for one in reversed(refused))

    def unsent(self) -> list[Any]:
        """What was read and is not in the stream, in the order in which it was given."""
        entries = [entry for lane in self._lanes.values() for entry in lane]
        return [entry.given for entry in sorted(entries, key=lambda entry: entry.index)]

    def _first(self, lane: Hashable) -> Put:
        entries = [self._lanes[lane][0]]
        size = entries[0].size
        if self._aggregate:
            packed = kpl.AROUND_ALL + size + kpl.AROUND_EACH
            for entry in list(self._lanes[lane])[1:]:
                packed += len(entry.data) + kpl.AROUND_EACH
                if packed > kpl.MAX_SIZE:
                    break
                entries.append(entry)
        if len(entries) == 1:
            return Put(lane, entries, entries[0].data, size)
        data = kpl.pack(*entries[0].key, [entry.data for entry in entries])
        return Put(lane, entries, data, len(data) + len(entries[0].key[0].encode()))

    def _read_ahead(self) -> None:
        while (
            self._records is not None
            and self.waiting < MAX_WAITING
            and self._bytes < MAX_WAITING_BYTES
        ):
            try:
                given = next(self._records)
                entry = _entry(given, self._read, stamped=self._aggregate)
            except StopIteration:
                self._records = None
                return
            except Exception as error:  # noqa: BLE001  (raised when what came before it is sent)
                self._records, self.problem = None, error
                return
            lane: Hashable = entry.key if self._ordered or self._aggregate else entry.index
            self._read += 1
            self.waiting += 1
            self._bytes += entry.size
            if lane in self._lanes:
                self._lanes[lane].append(entry)
            else:
                self._lanes[lane] = deque((entry,))
                self._turns.append(lane)


def _entry(given: Any, index: int, *, stamped: bool) -> Entry:
    try:
        if isinstance(given, tuple):
            (partition_key, data), explicit_hash_key = given, ""
        else:
            partition_key, data = given["PartitionKey"], given["Data"]
            explicit_hash_key = given.get("ExplicitHashKey", "")
        if isinstance(data, str):
            data = data.encode()
        elif isinstance(data, bytearray | memoryview):
            data = bytes(data)
        elif not isinstance(data, bytes):
            data = json.dumps(
                data, ensure_ascii=False, allow_nan=False, separators=(",", ":")
            ).encode()
        if not 1 <= len(partition_key) <= 256:
            raise ValueError  # noqa: TRY301
        partition_key.encode()
    except (AttributeError, KeyError, TypeError, ValueError):
        message = (
            f"Record {index} of put has to be (partition key, data), or a dict with PartitionKey "
            "and Data: a key of 1 to 256 characters, and bytes, a text, or what JSON can hold."
        )
        raise ClewError(message) from None
    if stamped:  # inside an aggregated record nothing can be stamped on its way
        from clew.forward.stamp import stamp
        from clew.forward.switches import is_on

        data = stamp(data) if is_on("kinesis") else data
    return Entry(given, index, (partition_key, explicit_hash_key), data)


def _send(
    client: Any, where: dict[str, str], requests: list[Put], queue: Queue
) -> tuple[list[Put], str]:
    """Make one request: what the stream took, and why it did not take the rest ("" for none)."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004  (its own: of what cannot be connected to)
        HTTPClientError,
    )

    try:
        answer = client.put_records(Records=[one.parameters() for one in requests], **where)
    except ClientError as error:
        said = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        queue.again(requests)
        if said.get("Code") in _AGAIN or status >= 500:
            return [], f"{said.get('Code')}: {said.get('Message')}"
        raise _failed(where, error, queue) from error
    except (HTTPClientError, ConnectionError) as error:
        queue.again(requests)
        return [], f"{type(error).__name__}: {error}"
    except BotoCoreError as error:  # no credentials, say
        raise _failed(where, error, queue) from error
    results = answer["Records"]
    taken = [one for one, result in zip(requests, results, strict=True) if not _code(result)]
    refused = [one for one, result in zip(requests, results, strict=True) if _code(result)]
    for one in taken:
        queue.done(one)
    queue.again(refused)
    why = next((f"{_code(one)}: {one.get('ErrorMessage')}" for one in results if _code(one)), "")
    return taken, why


def _failed(where: dict[str, str], error: Exception, queue: Queue) -> PutFailed:
    stream = next(iter(where.values()))
    message = (
        f"{stream or 'A stream without a name'} does not take the records: {error}. "
        f"{queue.waiting} records are left over."
    )
    return PutFailed(message, queue.unsent())


def _code(result: dict[str, Any]) -> str:
    return str(result.get("ErrorCode") or "")
