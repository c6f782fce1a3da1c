"""Gets what a letter only points at: records of a stream, and payloads in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.dlq.errors import DlqError, told
from clew.streams.envelope import Envelope, unseal
from clew.streams.failure import NotAnEnvelope

if TYPE_CHECKING:
    import boto3

    from clew.dlq.letter import BatchInfo, Letter

#: So many pages without a record of the batch, and it is not looked for any further.
_MAX_PAGES = 200


def whole(session: boto3.Session, letter: Letter) -> Letter:
    """The letter with its payload, which S3 has where it has a claim check. Raises `DlqError`."""
    if letter.envelope is None or letter.envelope.claim is None:
        return letter
    from botocore.exceptions import ClientError

    bucket, key = letter.envelope.claim
    with told(f"The object s3://{bucket}/{key} with the payload of the letter {letter.id}"):
        try:
            body = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket", "404"):
                raise
            raise DlqError(
                f"The payload of the letter {letter.id} is gone from s3://{bucket}/{key}."
            ) from None
    try:
        payload = unseal(body).members["payload"]
    except NotAnEnvelope as error:
        raise DlqError(f"s3://{bucket}/{key} is not what the letter needs: {error}") from error
    return letter.with_envelope(Envelope({**letter.envelope.members, "payload": payload}))


def records(session: boto3.Session, letter: Letter) -> list[dict[str, Any]]:
    """The records of a batch that a mapping gave up, as Lambda delivers them; else none.

    Raises `DlqError` where the stream does not have all of them any more.
    """
    batch = letter.batch
    if batch is None:
        return []
    if not (batch.first.isdecimal() and batch.last.isdecimal()):
        raise DlqError(f"The records of the letter {letter.id} cannot be read: it is damaged.")
    from clew.errors import ClewError
    from clew.streams.worker.clock import Clock
    from clew.streams.worker.records import shape_of
    from clew.streams.worker.settings import Source
    from clew.streams.worker.sources import ReadError, open_source

    try:
        source = Source.parse(batch.stream_arn)
        found = _read(open_source(session, source, Clock()).reads(), batch)
    except ReadError as error:
        raise DlqError(_gone(batch, error)) from error
    except ClewError as error:
        raise DlqError(f"The records of the letter {letter.id} cannot be read: {error}") from error
    shape = shape_of(source)
    return [shape.event(shape.read(raw), batch.shard_id) for raw in found]


def _read(reads: Any, batch: BatchInfo) -> list[dict[str, Any]]:
    from clew.streams.worker.sources import ThrottledError

    iterator = reads.iterator(batch.shard_id, "AT_SEQUENCE_NUMBER", sequence=batch.first)
    first, last = int(batch.first), int(batch.last)
    found: list[dict[str, Any]] = []
    throttled = 0
    for _ in range(_MAX_PAGES):
        try:
            page = reads.page(iterator, min(max(batch.size, 1), reads.most_records))
        except ThrottledError:
            throttled += 1
            if throttled > 20:
                raise
            _pause()
            continue
        for raw in page.records:
            number = int(_sequence(raw))
            if first <= number <= last:
                found.append(raw)
            if number >= last:
                return _all(found, batch)
        if page.iterator is None or (not page.records and page.behind_ms == 0):
            break
        iterator = page.iterator
    return _all(found, batch)


def _all(found: list[dict[str, Any]], batch: BatchInfo) -> list[dict[str, Any]]:
    if found and _sequence(found[0]) == batch.first and _sequence(found[-1]) == batch.last:
        return found
    raise DlqError(
        f"{batch.shard_id} of {batch.stream_arn} does not have the records {batch.first} to "
        f"{batch.last} any more: they are older than its retention."
    )


def _sequence(raw: dict[str, Any]) -> str:
    return str(raw.get("SequenceNumber") or raw["dynamodb"]["SequenceNumber"])


def _pause() -> None:
    import time

    time.sleep(0.25)  # "GetRecords": five calls a second for each shard


def _gone(batch: BatchInfo, error: Exception) -> str:
    from clew.streams.worker.sources import ShardGoneError, StreamGoneError, TrimmedError

    if isinstance(error, StreamGoneError):
        return f"The records are gone: there is no stream {batch.stream_arn} any more."
    if isinstance(error, ShardGoneError):
        return f"The records are gone: {batch.stream_arn} has no {batch.shard_id} any more."
    if isinstance(error, TrimmedError):
        return (
            f"The records are gone: {batch.stream_arn} does not have {batch.first} any more; "
            "it is older than its retention."
        )
    return f"The stream {batch.stream_arn} cannot be read: {error}."
