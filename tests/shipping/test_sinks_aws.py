"""Firehose and S3, in the local cloud."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clew.shipping.answers import RefusedError, UnusableError
from clew.shipping.batches import Parcel
from clew.shipping.deliver import deliver
from clew.shipping.sinks.firehose import MAX_RECORD, FirehoseSink, read_answer
from clew.shipping.sinks.s3 import S3Sink
from clew.shipping.sinks.store import StoreSink, body_of
from clew.stories.store import Store
from clew.stories.store.files import read_stream

from .making import GROUP, STREAM, clew_line, lines

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud
    from conftest import Until

pytestmark = pytest.mark.local_cloud
LINES = lines(clew_line("hello"), "a print", "  and more of it", "wörld")


def objects(s3: Any, bucket: str) -> list[bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found]


def test_an_object_of_s3_can_be_imported(cloud: LocalCloud, tmp_path: Path) -> None:
    s3, bucket = cloud.client("s3"), f"shipped-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    sink = S3Sink(s3, bucket, "logs")
    for _ in range(2):  # what comes twice is there once
        assert deliver(LINES, sink).sent == 3
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert listed["Key"].startswith("logs/2026/01/02/03/")
    (body,) = objects(s3, bucket)
    rows = [json.loads(row) for row in gzip.decompress(body).splitlines()]
    assert [row["message"] for row in rows] == [line.message for line in LINES]
    assert {(row["logGroup"], row["stream"], row["function"]) for row in rows} == {
        (GROUP, STREAM, "orders")
    }
    with Store(tmp_path / "logs.db", write=True) as store:
        body_ = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"]
        assert store.add(read_stream(body_, "object")).stored == 3
        assert {one.message for one in store.entries()} == {line.message for line in LINES}
        # They have the ids of their events: the same ones by another way are no others.
        parcels = [Parcel(line, StoreSink.pack(object(), line)) for line in LINES]  # type: ignore[arg-type]
        posted = io.BytesIO(body_of(parcels))
        assert store.add(read_stream(posted, "posted")) == (0, 3)
    gone = S3Sink(s3, f"{bucket}-gone", "")
    report = deliver(LINES, gone)
    assert len(report.left) == 3
    assert "NoSuchBucket" in report.why


def test_firehose_delivers_what_was_shipped(cloud: LocalCloud, until: Until) -> None:
    s3, name = cloud.client("s3"), f"shipped-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    firehose = cloud.client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{name}",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
        },
    )
    many = [*LINES, *lines("x" * MAX_RECORD)]
    report = deliver(many, FirehoseSink(firehose, name))
    assert report.sent == 3
    ((line, why),) = report.refused
    assert line is many[-1]
    assert "has up to 1,024,000 bytes" in why

    def delivered() -> list[str]:
        rows = b"".join(objects(s3, name)).splitlines()
        return [json.loads(row)["message"] for row in rows]

    until(lambda: sorted(delivered()) == sorted(one.message for one in LINES), "all is in S3", 30)
    sink = FirehoseSink(firehose, "no-such-stream")
    with pytest.raises(UnusableError, match="ResourceNotFoundException"):
        sink.send([Parcel(LINES[0], b"{}")], 5.0)
    with pytest.raises((RefusedError, UnusableError)):
        FirehoseSink(firehose, name).send([Parcel(LINES[0], b"")] * 501, 5.0)


def test_records_that_firehose_did_not_take_go_again() -> None:
    answer = {
        "FailedPutCount": 1,
        "RequestResponses": [
            {"RecordId": "a"},
            {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."},
            {"RecordId": "b"},
        ],
    }
    outcome = read_answer(answer, [0, 2, 3], {1: "too large"}, "firehose://x")
    assert outcome.again == (2,)
    assert outcome.refused == {1: "too large"}
    assert "1 of 3 records: ServiceUnavailableException" in outcome.why
    assert read_answer({"RequestResponses": []}, [0, 1], {}, "x").again == (0, 1)
