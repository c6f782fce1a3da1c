"""What is written to and read from Kinesis shards: counted, limited, and read when closed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import kinesis

from clew.localcloud.seam import closed_shards
from clew.localcloud.seam.emulator_parts import around
from clew.localcloud.seam.kinesis_answers import error, iterator, ok
from clew.localcloud.seam.shard_limits import READ_BYTES_PER_CALL, ShardLimits
from clew.localcloud.seam.shard_meter import Shard, ShardMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud.seam.closed_shards import Stream
    from clew.localcloud.seam.kinesis_answers import Answer

_REFUSED = "ProvisionedThroughputExceededException"


def install(meter: ShardMeter, *, enforce_limits: bool) -> None:
    """Put the meter around what writes and reads in the emulator."""
    shards = _MeteredShards(meter, enforce_limits=enforce_limits)
    around(kinesis, "_put_record", shards.put_record)
    around(kinesis, "_put_records", shards.put_records)
    around(kinesis, "put_record_internal", shards.put_from_inside)
    around(kinesis, "_get_records", shards.get_records)
    around(kinesis, "_expire_iterators", _now_and_then())


def _now_and_then() -> Callable[[Callable[[], None]], None]:
    """The emulator looks through all iterators at each call; once a second is enough."""
    last = 0.0

    def expire(original: Callable[[], None]) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            original()

    return expire


class _MeteredShards:
    """Counts what is written and read, and refuses what a shard would not take or give."""

    def __init__(self, meter: ShardMeter, *, enforce_limits: bool) -> None:
        self._meter = meter
        self._enforce = enforce_limits
        self._limits: dict[Shard, ShardLimits] = {}

    def put_record(self, original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        stream = kinesis._resolve_stream(data)[1]
        if stream is None or not data.get("PartitionKey"):
            return original(data)
        shard, size = _shard_of(stream, data), _size(data)
        if not self._admits(stream, shard, size):
            self._meter.wrote(shard, [], refused=1)
            return error(_REFUSED, _rate_exceeded(shard))
        answer = original(data)
        if answer[0] == 200:
            self._meter.wrote(shard, [size], refused=0)
        return answer

    def put_records(self, original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        stream = kinesis._resolve_stream(data)[1]
        records = data.get("Records", [])
        if stream is None or not 0 < len(records) <= 500:
            return original(data)
        shards = [_shard_of(stream, record) for record in records]
        sizes = [_size(record) for record in records]
        admitted = [
            self._admits(stream, shard, size) for shard, size in zip(shards, sizes, strict=True)
        ]
        taken = [record for record, fits in zip(records, admitted, strict=True) if fits]
        answer = original({**data, "Records": taken}) if taken else ok({"Records": []})
        if answer[0] != 200:
            return answer
        for shard in set(shards):
            mine = [i for i, each in enumerate(shards) if each == shard]
            written = [sizes[i] for i in mine if admitted[i]]
            self._meter.wrote(shard, written, refused=len(mine) - len(written))
        return answer if len(taken) == len(records) else _partly_refused(answer, shards, admitted)

    def put_from_inside(
        self, original: Callable[..., bool], stream_arn: str, partition_key: str, data: bytes
    ) -> bool:
        """As another service of the emulator writes. It is counted, but never refused."""
        written = original(stream_arn, partition_key, data)
        stream = kinesis._resolve_stream_by_arn(stream_arn)
        if written and stream is not None:
            shard = _shard_of(stream, {"PartitionKey": partition_key})
            self._meter.wrote(shard, [len(data) + len(partition_key.encode())], refused=0)
        return written

    def get_records(self, original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
        state = kinesis._shard_iterators.get(data.get("ShardIterator"))
        stream = kinesis._streams.get(state["stream"]) if state else None
        known = closed_shards.all_shards(stream) if stream else {}
        if stream is None or state["shard_id"] not in known:
            return original(data)
        shard = _shard(stream, state["shard_id"])
        limits = self._limits_of(shard)
        now = time.monotonic()
        if self._limited(stream) and not limits.admits_read(now):
            self._meter.refused_read(shard)
            return error(_REFUSED, _rate_exceeded(shard))
        page, size = _page(known[shard.shard_id]["records"], state["position"], data)
        limits.gave(size, now)
        self._meter.read(shard, size, len(page), _age_ms(page))
        if shard.shard_id in stream["shards"]:
            return original({**data, "Limit": max(1, len(page))})
        return _read_closed(stream, state, known[shard.shard_id], page)

    def _admits(self, stream: Stream, shard: Shard, size: int) -> bool:
        if not self._limited(stream):
            return True
        return self._limits_of(shard).admits_write(size, time.monotonic())

    def _limited(self, stream: Stream) -> bool:
        # An on-demand stream grows by itself on AWS; here it does not, so it has no limit.
        return self._enforce and stream["StreamModeDetails"]["StreamMode"] == "PROVISIONED"

    def _limits_of(self, shard: Shard) -> ShardLimits:
        return self._limits.setdefault(shard, ShardLimits())


def _read_closed(
    stream: Stream, state: dict[str, Any], shard: dict[str, Any], page: list[dict[str, Any]]
) -> Answer:
    after = state["position"] + len(page)
    answer: dict[str, Any] = {
        "Records": [
            {
                "SequenceNumber": record["SequenceNumber"],
                "ApproximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
                "Data": kinesis._ensure_base64(record["Data"]),
                "PartitionKey": record["PartitionKey"],
                "EncryptionType": stream.get("EncryptionType", "NONE"),
            }
            for record in page
        ],
        "MillisBehindLatest": _age_ms(shard["records"][after : after + 1]),
    }
    if after < len(shard["records"]):
        answer["NextShardIterator"] = iterator(stream, state["shard_id"], after)
    else:
        # "When the shard has been closed and the iterator will not return any more data."
        answer["ChildShards"] = closed_shards.children(stream, state["shard_id"])
    return ok(answer)


def _page(
    records: list[dict[str, Any]], position: int, data: dict[str, Any]
) -> tuple[list[dict[str, Any]], int]:
    """The records that one call reads, and their size."""
    page: list[dict[str, Any]] = []
    size = 0
    for record in records[position : position + int(data.get("Limit", 10_000))]:
        size += _size(record)
        if page and size > READ_BYTES_PER_CALL:
            return page, size - _size(record)
        page.append(record)
    return page, size


def _partly_refused(answer: Answer, shards: list[Shard], admitted: list[bool]) -> Answer:
    taken = iter(json.loads(answer[2])["Records"])
    results = [
        next(taken) if fits else {"ErrorCode": _REFUSED, "ErrorMessage": _rate_exceeded(shard)}
        for shard, fits in zip(shards, admitted, strict=True)
    ]
    return ok({"FailedRecordCount": admitted.count(False), "Records": results})


def _rate_exceeded(shard: Shard) -> str:
    return (
        f"Rate exceeded for shard {shard.shard_id} in stream {shard.stream} "
        f"under account {shard.account}."
    )


def _shard(stream: Stream, shard_id: str) -> Shard:
    return Shard(get_account_id(), get_region(), stream["StreamName"], shard_id)


def _shard_of(stream: Stream, record: dict[str, Any]) -> Shard:
    explicit = record.get("ExplicitHashKey")
    key = (
        int(explicit)
        if explicit
        else kinesis._partition_key_to_hash(record.get("PartitionKey", ""))
    )
    return _shard(stream, kinesis._route_to_shard(key, stream))


def _size(record: dict[str, Any]) -> int:
    """Bytes of the data, which is in base64, and of the partition key."""
    data = record.get("Data") or ""
    padding = len(data) - len(data.rstrip("="))
    return len(data) // 4 * 3 - padding + len(record.get("PartitionKey", "").encode())


def _age_ms(records: list[dict[str, Any]]) -> int:
    if not records:
        return 0
    return max(0, int((time.time() - records[-1]["ApproximateArrivalTimestamp"]) * 1000))
