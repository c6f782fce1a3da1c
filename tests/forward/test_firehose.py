"""Firehose: what lands in the bucket, line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clew import payload
from clew.forward.firehose import PutRecordBatch
from clew.forward.limits import FIREHOSE_RECORD, FIREHOSE_REQUEST

from .aws import unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    from collections.abc import Callable

    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud


pytestmark = pytest.mark.local_cloud


class Delivery:
    """A Firehose stream that delivers to a bucket."""

    def __init__(self, cloud: LocalCloud, until: Callable[..., Any]) -> None:
        self.firehose, self._s3 = cloud.client("firehose"), cloud.client("s3")
        self.name = self._bucket = unique("firehose")
        self._until = until
        self._seen: set[str] = set()
        self._s3.create_bucket(Bucket=self._bucket)
        self.firehose.create_delivery_stream(
            DeliveryStreamName=self.name,
            S3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/x",
                "BucketARN": f"arn:aws:s3:::{self._bucket}",
            },
        )

    def lines(self, count: int) -> list[bytes]:
        """The next ``count`` lines that are delivered."""
        lines: list[bytes] = []

        def enough() -> bool:
            for listed in self._s3.list_objects_v2(Bucket=self._bucket).get("Contents", []):
                key = listed["Key"]
                if key not in self._seen:
                    self._seen.add(key)
                    body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
                    lines.extend(body.splitlines(keepends=True))
            return len(lines) >= count

        self._until(enough, f"{count} lines are delivered")
        return lines


@pytest.fixture(scope="module")
def delivery(cloud: LocalCloud, until: Callable[..., Any]) -> Delivery:
    return Delivery(cloud, until)


def test_a_record_keeps_its_line_ending(
    delivery: Delivery, invocation: Invocation, in_force: clew.Correlation
) -> None:
    record = {"Data": b'{"a":1}\n'}
    answer = delivery.firehose.put_record(DeliveryStreamName=delivery.name, Record=record)
    assert record == {"Data": b'{"a":1}\n'}
    sent = invocation.sent[0]
    (line,) = delivery.lines(1)
    assert line.endswith(b"}\n")
    assert json.loads(line)["__context"] == fields_of(sent)
    assert payload.take(line).data == record["Data"]
    assert (sent.service, sent.operation) == ("firehose", "PutRecord")
    assert sent.position == {"recordId": answer["RecordId"]}


def test_a_batch_each_with_its_own_span(
    delivery: Delivery, invocation: Invocation, in_force: clew.Correlation
) -> None:
    records: list[Any] = [{"Data": b'{"n":%d}\n' % n} for n in range(3)]
    records.append({"Data": b"text\n"})
    answer = delivery.firehose.put_record_batch(DeliveryStreamName=delivery.name, Records=records)
    sent = [one for one in invocation.sent if one.service == "firehose"]
    lines = delivery.lines(4)
    stamped = {
        json.loads(line)["__context"]["traceparent"]: line for line in lines if line != b"text\n"
    }
    assert len(stamped) == 3
    for one, record, result in zip(sent, records, answer["RequestResponses"], strict=True):
        assert one.position == {"recordId": result["RecordId"]}
        if one.carried:
            line = stamped[fields_of(one)["traceparent"]]
            assert payload.take(line).data == record["Data"]
    assert [one.carried for one in sent] == [True, True, True, False]


def test_records_that_were_refused_are_errors(in_force: clew.Correlation) -> None:
    params = {"DeliveryStreamName": "d", "Records": [{"Data": b"{}"}] * 2}
    good, bad = PutRecordBatch.stamp(params, in_force)
    failed = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow"}
    PutRecordBatch.answered([good, bad], {"RequestResponses": [{"RecordId": "1"}, failed]})
    assert (good.outcome, bad.outcome) == ("ok", "error")
    assert bad.error == "ServiceUnavailableException: slow"


def test_neither_a_record_nor_a_request_is_pushed_over_its_limit(
    in_force: clew.Correlation,
) -> None:
    full = b'{"pad":"%s"}' % (b"x" * (FIREHOSE_RECORD - 10))
    params = {"DeliveryStreamName": "d", "Records": [{"Data": full}]}
    assert not only(PutRecordBatch.stamp(params, in_force)).carried
    assert params["Records"] == [{"Data": full}]

    quarter = b'{"pad":"%s"}' % (b"x" * (FIREHOSE_REQUEST // 4 - 150))
    params = {"DeliveryStreamName": "d", "Records": [{"Data": quarter}] * 4}
    sent = PutRecordBatch.stamp(params, in_force)
    records: Any = params["Records"]
    assert sum(len(record["Data"]) for record in records) <= FIREHOSE_REQUEST
    assert {one.carried for one in sent} == {True, False}
