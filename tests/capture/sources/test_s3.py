"""S3 notifications, wherever they came, and the ids in an object's metadata when asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew import S3Record, capture, s3_records

from ..events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, Context, sns
from .events import notification, s3, s3_notification, s3_on_bus, sqs, sqs_attributes, sqs_record

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


def s3_in(way: str, version: str = "096fKKXTRTtl3on89fVO") -> dict[str, Any]:
    """An event that says that a version of an object was put."""
    straight = s3(s3_notification(versionId=version))
    on_bus = s3_on_bus(**{"version-id": version})
    events = {
        "straight": straight,
        "EventBridge": on_bus,
        "SNS": sns(json.dumps(straight)),
        "SQS": sqs(sqs_record(json.dumps(straight))),
        "SNS in SQS": sqs(sqs_record(json.dumps(notification(json.dumps(straight))))),
        "EventBridge in SQS": sqs(sqs_record(json.dumps(on_bus))),
    }
    return events[way]


ways = pytest.mark.parametrize(
    "way", ["straight", "EventBridge", "SNS", "SQS", "SNS in SQS", "EventBridge in SQS"]
)


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Any:
    """S3 of the local cloud, with a bucket that keeps versions."""
    found = cloud.client("s3")
    found.create_bucket(
        Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    found.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    return found


def put(client: Any, metadata: dict[str, str]) -> str:
    """Put an object, and then another without ids; the version of the first."""
    key = "in/a bü.json"
    version = client.put_object(Bucket="orders", Key=key, Body=b"{}", Metadata=metadata)
    client.put_object(Bucket="orders", Key=key, Body=b"{}")
    return str(version["VersionId"])


@ways
def test_notifications_are_found_wherever_they_came(way: str) -> None:
    event = s3_in(way)
    delivery = capture(event, Context())
    for source in (delivery, event, *delivery.records):
        [record] = s3_records(source)
        assert (record.bucket, record.key) == ("orders", "in/a bü.json")
        assert (record.size, record.version_id) == (1024, "096fKKXTRTtl3on89fVO")
        assert record.etag == "d41d8cd98f00b204e9800998ecf8427e"
        assert record.sequencer == "0055AED6DCD90281E5"
        assert record.event_name in ("ObjectCreated:Put", "Object Created")
        assert record.position == {"bucket": "orders", "key": record.key}
        assert json.loads(record.data) == record.payload


@ways
def test_the_ids_are_those_of_the_message_until_asked(way: str) -> None:
    delivery = capture(s3_in(way), Context())
    [record] = s3_records(delivery)
    assert record.correlation.id == REQUEST_ID
    assert record.correlation.span_id == delivery.correlation.span_id


@pytest.mark.local_cloud
@ways
def test_the_objects_ids_are_read_when_asked_for(way: str, client: Any) -> None:
    version = put(client, {**FIELDS, "own": "1"})
    [record] = s3_records(capture(s3_in(way, version), Context()))
    before = record.correlation
    after = record.fetch_correlation(client)
    assert after is record.correlation
    assert (after.id, after["x-correlation-user-id"]) == ("the-request", "42")
    assert (after.trace_id, after.parent_span_id) == (TRACE_ID, PARENT_ID)
    assert after.chain_length == int(FIELDS["call-chain-length"]) + 1
    assert after.span_id == before.span_id, "it is still the same receive"


@pytest.mark.local_cloud
def test_without_a_client_one_is_made(
    client: Any, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clew.capture.s3._clients", {})
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", cloud.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    [record] = s3_records(s3_in("straight", put(client, FIELDS)))
    assert record.fetch_correlation().id == FIELDS["x-correlation-id"]


@pytest.mark.local_cloud
def test_an_object_without_ids_changes_nothing(client: Any) -> None:
    [record] = s3_records(s3_in("straight", put(client, {"own": "1"})))
    before = record.correlation
    assert record.fetch_correlation(client) is before
    assert record.problem == ""


@pytest.mark.local_cloud
def test_of_an_object_without_a_version_the_newest_is_read(client: Any) -> None:
    put(client, FIELDS)
    [record] = s3_records(s3(s3_notification(versionId=None)))
    assert record.fetch_correlation(client).id != FIELDS["x-correlation-id"]
    assert record.problem == ""


@pytest.mark.local_cloud
def test_an_object_that_is_gone_changes_nothing(client: Any) -> None:
    [record] = s3_records(s3(s3_notification("never/put", versionId=None)))
    before = record.correlation
    assert record.fetch_correlation(client) is before
    assert record.problem.startswith("the object's ids cannot be read: ClientError: ")
    assert "404" in record.problem


def test_inside_a_handler_the_ids_are_the_messages() -> None:
    @clew.handler
    def function(event: Any, context: Any) -> Any:
        [record] = s3_records(event)
        return record.correlation is clew.current() or record.correlation.id == clew.current().id

    message = sqs_record(json.dumps(s3()), sqs_attributes(FIELDS))
    assert function(sqs(message), Context())
    assert function(s3(), Context())


def test_a_message_has_several() -> None:
    event = sqs(sqs_record(json.dumps(s3(s3_notification("a"), s3_notification("b")))))
    assert [record.key for record in s3_records(event)] == ["a", "b"]


@pytest.mark.parametrize(
    "source",
    [
        None,
        {},
        [],
        {"Records": []},
        sqs(sqs_record("text")),
        sqs(sqs_record('{"Records": 7}')),
        sqs(sqs_record('{"Records": [7, {"eventSource": "aws:sns"}]}')),
        sns("{"),
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "orders"},
    ],
)
def test_other_events_have_none(source: Any) -> None:
    assert s3_records(source) == []


@pytest.mark.parametrize("raw", [None, 7, "text", {}, {"s3": None}, {"s3": {"object": 7}}])
def test_a_notification_of_another_shape(raw: Any) -> None:
    record = S3Record(raw)
    assert (record.bucket, record.key, record.size) == ("", "", -1)
    assert record.fetch_correlation(object()).id
