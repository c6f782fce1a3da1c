"""A Kinesis stream that loses records, iterators and shards when a test says so.

The local cloud's keeps records for a day and iterators for five minutes, as AWS does, and never
forgets a shard before that. What becomes of a worker when those times are over can only be seen
where they can be made to be over; this stream answers the same requests, over HTTP on loopback,
to the real client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from clew.localcloud.session import LoopbackSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

_HASH_KEYS = 2**128
_FIRST_NUMBER = 49590338271490256608559692538361571095921575989136588898


@dataclass
class Shard:
    """A shard with its records. ``trimmed`` of them are gone from its beginning."""

    shard_id: str
    parents: tuple[str, ...]
    first_hash: int
    last_hash: int
    begins: str
    ends: str = ""
    records: list[dict[str, Any]] = field(default_factory=list)
    trimmed: int = 0


class Refusal(Exception):
    """An error of the service."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class StreamService:
    """One stream and the server that answers for it. Use it as a context manager."""

    def __init__(self, name: str = "faulty", shards: int = 1) -> None:
        self.name = name
        self.arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"
        self.created = time.time()
        #: Called with the operation before each request; may raise `Refusal` or wait.
        self.fault: Callable[[str], None] = lambda _operation: None
        #: Every read: shard, when, and how many records it gave.
        self.reads: list[tuple[str, float, int]] = []
        self._lock = threading.RLock()
        self._count = 0
        self._iterators: dict[str, tuple[str, int]] = {}
        self.shards: dict[str, Shard] = {}
        width = _HASH_KEYS // shards
        for at in range(shards):
            last = _HASH_KEYS - 1 if at == shards - 1 else (at + 1) * width - 1
            self._open_shard((), at * width, last)
        self._server = _serve(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def session(self) -> LoopbackSession:
        return LoopbackSession(self.endpoint_url, "us-east-1")

    # What producers and operators do.

    def put(self, records: Iterable[tuple[str, bytes]]) -> list[str]:
        """Put records, and return their sequence numbers."""
        numbers = []
        with self._lock:
            shards = [shard for shard in self.shards.values() if not shard.ends]
            now = time.time()
            for key, data in records:
                hashed = int(hashlib.md5(key.encode()).hexdigest(), 16)
                (shard,) = (each for each in shards if each.first_hash <= hashed <= each.last_hash)
                numbers.append(self._number())
                shard.records.append(
                    {
                        "SequenceNumber": numbers[-1],
                        "PartitionKey": key,
                        "Data": base64.b64encode(data).decode(),
                        "ApproximateArrivalTimestamp": round(now, 3),
                    }
                )
        return numbers

    def split(self, shard_id: str) -> list[str]:
        """Split a shard in the middle."""
        with self._lock:
            old = self._close(shard_id)
            middle = (old.first_hash + old.last_hash) // 2
            return [
                self._open_shard((shard_id,), old.first_hash, middle),
                self._open_shard((shard_id,), middle + 1, old.last_hash),
            ]

    def merge(self, shard_id: str, adjacent_id: str) -> str:
        """Merge two shards that lie side by side."""
        with self._lock:
            low, high = sorted(
                (self._close(shard_id), self._close(adjacent_id)), key=lambda each: each.first_hash
            )
            assert low.last_hash + 1 == high.first_hash
            return self._open_shard((shard_id, adjacent_id), low.first_hash, high.last_hash)

    def open_shards(self) -> list[str]:
        """The open shards, in the order of their hash keys."""
        with self._lock:
            found = [shard for shard in self.shards.values() if not shard.ends]
            return [shard.shard_id for shard in sorted(found, key=lambda each: each.first_hash)]

    def trim(self, shard_id: str, count: int) -> None:
        """Drop the first records that a shard still has."""
        with self._lock:
            shard = self.shards[shard_id]
            del shard.records[:count]
            shard.trimmed += count

    def forget(self, shard_id: str) -> None:
        """Drop a shard altogether."""
        with self._lock:
            del self.shards[shard_id]

    def expire_iterators(self) -> None:
        """Make every iterator that was given out too old."""
        with self._lock:
            self._iterators.clear()

    # What readers ask.

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.fault(operation)
        with self._lock:
            answered: dict[str, Any] = getattr(self, f"_{operation}")(request)
            return answered

    def _DescribeStreamSummary(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(request)
        return {
            "StreamDescriptionSummary": {
                "StreamName": self.name,
                "StreamARN": self.arn,
                "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": 24,
                "StreamCreationTimestamp": self.created,
                "EnhancedMonitoring": [],
                "OpenShardCount": len(self.open_shards()),
            }
        }

    def _ListShards(self, request: dict[str, Any]) -> dict[str, Any]:
        after = request.get("NextToken")
        if not after:
            self._check(request)
        listed = [shard for name, shard in sorted(self.shards.items()) if name > (after or "")]
        page = {"Shards": [_described(shard) for shard in listed[:3]]}  # so that there are pages
        return page | ({"NextToken": listed[2].shard_id} if len(listed) > 3 else {})

    def _GetShardIterator(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(request)
        shard = self._shard(request["ShardId"])
        number = int(request.get("StartingSequenceNumber", 0))
        if number and number > _FIRST_NUMBER + self._count:
            raise Refusal("InvalidArgumentException", "did not come from this stream")
        numbers = [int(record["SequenceNumber"]) for record in shard.records]
        match request["ShardIteratorType"]:
            case "TRIM_HORIZON":
                place = 0
            case "LATEST":
                place = len(numbers)
            case "AT_SEQUENCE_NUMBER":
                place = sum(each < number for each in numbers)
            case "AFTER_SEQUENCE_NUMBER":
                place = sum(each <= number for each in numbers)
            case "AT_TIMESTAMP":
                stamps = [record["ApproximateArrivalTimestamp"] for record in shard.records]
                place = sum(stamp < request["Timestamp"] for stamp in stamps)
        return {"ShardIterator": self._iterator(shard.shard_id, shard.trimmed + place)}

    def _GetRecords(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["ShardIterator"] not in self._iterators:
            raise Refusal("ExpiredIteratorException")
        shard_id, place = self._iterators[request["ShardIterator"]]
        shard = self._shard(shard_id)
        start = max(0, place - shard.trimmed)
        given = shard.records[start : start + request.get("Limit", 10_000)]
        after = start + len(given)
        left = shard.records[after:]
        behind = int((time.time() - left[0]["ApproximateArrivalTimestamp"]) * 1000) if left else 0
        self.reads.append((shard_id, time.monotonic(), len(given)))
        answered: dict[str, Any] = {"Records": given, "MillisBehindLatest": behind}
        if left or not shard.ends:
            answered["NextShardIterator"] = self._iterator(shard_id, shard.trimmed + after)
        elif not left:
            answered["ChildShards"] = []
        return answered

    def _check(self, request: dict[str, Any]) -> None:
        if request.get("StreamARN") != self.arn:
            raise Refusal("ResourceNotFoundException", f"Stream {request} not found")

    def _shard(self, shard_id: str) -> Shard:
        if shard_id not in self.shards:
            raise Refusal("ResourceNotFoundException", f"Shard {shard_id} not found")
        return self.shards[shard_id]

    def _iterator(self, shard_id: str, place: int) -> str:
        token = uuid.uuid4().hex
        self._iterators[token] = (shard_id, place)
        return token

    def _number(self) -> str:
        self._count += 1
        return str(_FIRST_NUMBER + self._count)

    def _open_shard(self, parents: tuple[str, ...], first_hash: int, last_hash: int) -> str:
        shard_id = f"shardId-{len(self.shards):012d}"
        while shard_id in self.shards:
            shard_id = f"shardId-{int(shard_id[8:]) + 1:012d}"
        self.shards[shard_id] = Shard(shard_id, parents, first_hash, last_hash, self._number())
        return shard_id

    def _close(self, shard_id: str) -> Shard:
        shard = self.shards[shard_id]
        assert not shard.ends
        shard.ends = self._number()
        return shard


def _described(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": shard.begins}
    if shard.ends:
        numbers["EndingSequenceNumber"] = shard.ends
    described: dict[str, Any] = {
        "ShardId": shard.shard_id,
        "HashKeyRange": {
            "StartingHashKey": str(shard.first_hash),
            "EndingHashKey": str(shard.last_hash),
        },
        "SequenceNumberRange": numbers,
    }
    names = ("ParentShardId", "AdjacentParentShardId")
    return described | dict(zip(names, shard.parents, strict=False))


def _serve(service: StreamService) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body go out as two writes, which Nagle's algorithm would keep apart.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            try:
                status, answered = 200, service.answer(operation, request)
            except Refusal as refusal:
                status, answered = 400, {"__type": refusal.code, "message": str(refusal)}
            body = json.dumps(answered).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: object) -> None:
            pass  # a worker that is killed while it reads

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
