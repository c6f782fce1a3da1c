"""Records of Kafka topics and messages of Amazon MQ's brokers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clew import ActiveMqRecord, KafkaRecord, RabbitMqRecord, capture

from ..events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, Context
from .events import (
    active_mq,
    body,
    eventbridge,
    kafka,
    kafka_headers,
    kafka_record,
    piped_active_mq,
    piped_kafka,
    piped_rabbit_mq,
    rabbit_mq,
)


def only(event: Any) -> Any:
    [record] = capture(event, Context()).records
    return record


def of_kafka(**members: Any) -> KafkaRecord:
    record = only(kafka(kafka_record(**members)))
    assert isinstance(record, KafkaRecord)
    return record


def test_the_names_of_a_kafka_record() -> None:
    own = {"tenant": "a"}
    record = of_kafka(value=b'{"a": 1}', headers=kafka_headers({**own, **FIELDS}))
    assert record.payload == {"a": 1}
    assert (record.topic, record.partition, record.offset) == ("orders", 0, 15)
    assert record.key == b"customer-1"
    assert record.headers == [("tenant", b"a")]
    assert record.arrived == datetime(2018, 12, 17, 22, 10, 50, 987000, UTC)
    assert record.position == {"topic": "orders", "partition": "0", "offset": "15"}
    assert (record.correlation.trace_id, record.correlation.parent_span_id) == (TRACE_ID, PARENT_ID)


@pytest.mark.parametrize(
    "headers",
    [
        kafka_headers(FIELDS),
        kafka_headers({name.upper(): value for name, value in FIELDS.items()}),
        kafka_headers({"clew-context": str(FIELDS).replace("'", '"')}),
        [{**one} for one in kafka_headers({"x-correlation-id": "older"}) + kafka_headers(FIELDS)],
    ],
)
def test_ids_come_as_headers(headers: Any) -> None:
    record = of_kafka(value=b"\x00avro", headers=headers)
    assert record.correlation.id == FIELDS["x-correlation-id"]
    assert record.headers == []
    assert record.payload == b"\x00avro"


def test_headers_count_before_the_context_in_the_value() -> None:
    record = of_kafka(value=body({"x-correlation-id": "inside"}), headers=kafka_headers(FIELDS))
    assert record.correlation.id == FIELDS["x-correlation-id"]
    assert record.payload == {"order": 7}


def test_java_has_bytes_below_zero() -> None:
    record = of_kafka(headers=[{"name": [-61, -68]}])
    assert record.headers == [("name", "ü".encode())]


def test_a_tombstone_has_no_value() -> None:
    record = of_kafka(value=None)
    assert (record.payload, record.data, record.problem) == (None, b"", "")


@pytest.mark.parametrize("key", [None, 7, "not base64"])
def test_a_key_may_be_anything(key: Any) -> None:
    assert of_kafka(key=key).key in (None, b"not base64", b"\x9e\x8bZ\xb1\xeb\xb8")


@pytest.mark.parametrize("headers", ["text", 7, [None, 7, "x"], [{"a": None, "b": 7, "c": ["x"]}]])
def test_headers_may_be_anything(headers: Any) -> None:
    record = of_kafka(headers=headers)
    assert record.correlation.id == REQUEST_ID
    assert record.headers == []


@pytest.mark.parametrize("value", [[], [300, 7], ["x"], {"a": 1}, None])
def test_a_field_that_is_no_text_is_dropped(value: Any) -> None:
    record = of_kafka(headers=[{"x-correlation-id": value}])
    assert record.correlation.id == REQUEST_ID
    assert record.dropped == 1


def test_records_of_all_partitions_in_order() -> None:
    event = kafka(
        kafka_record(offset=1), kafka_record(offset=9, partition=1), kafka_record(offset=2)
    )
    places = [(one.position["partition"], one.position["offset"]) for one in records(event)]
    assert places == [("0", "1"), ("0", "2"), ("1", "9")]


def records(event: Any) -> list[Any]:
    return list(capture(event, Context()).records)


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka"])
def test_a_pipe_of_kafka(source: str) -> None:
    delivery = capture([piped_kafka(FIELDS, source)], Context())
    assert delivery.source == source
    assert delivery.correlation.id == FIELDS["x-correlation-id"]


def test_the_names_of_an_active_mq_message() -> None:
    record = only(active_mq(FIELDS, body()))
    assert isinstance(record, ActiveMqRecord)
    assert record.payload == {"order": 7}
    assert (record.queue, record.redelivered) == ("orders", False)
    assert record.properties == {"doAlarm": "false"}
    assert record.sent_at == datetime(2020, 8, 30, 22, 50, 11, 958000, UTC)
    assert record.position == {"messageId": record.message_id, "queue": "orders"}


def test_the_names_of_a_rabbit_mq_message() -> None:
    record = only(rabbit_mq(FIELDS, b"hello"))
    assert isinstance(record, RabbitMqRecord)
    assert record.payload == b"hello"
    assert (record.queue, record.message_id) == ("orders::/", "m-1")
    assert record.headers == {"tenant": "a", "number": 10}
    assert record.basic_properties["contentType"] == "text/plain"


@pytest.mark.parametrize("make", [active_mq, rabbit_mq])
def test_properties_with_hyphens_or_underscores(make: Any) -> None:
    """JMS wants Java's names; AMQP, and other protocols of ActiveMQ, take any."""
    under = {name.replace("-", "_"): value for name, value in FIELDS.items()}
    for fields in (FIELDS, under):
        assert only(make(fields)).correlation.id == FIELDS["x-correlation-id"]


@pytest.mark.parametrize("make", [active_mq, rabbit_mq])
def test_a_message_without_properties_may_have_a_context(make: Any) -> None:
    assert only(make(None, body(FIELDS))).correlation.id == FIELDS["x-correlation-id"]
    wrapped = str(eventbridge(FIELDS)).replace("'", '"').encode()
    assert only(make(None, wrapped)).correlation.id == FIELDS["x-correlation-id"]


def test_a_correlation_id_of_jms_is_a_replys() -> None:
    """Who asks for an answer matches it by that; it is no request's id."""
    assert only(active_mq()).correlation.id == REQUEST_ID


def test_pipes_of_brokers() -> None:
    active, rabbit = only([piped_active_mq(FIELDS)]), only([piped_rabbit_mq(FIELDS)])
    assert (active.queue, rabbit.queue) == ("orders", "orders::/")


@pytest.mark.parametrize("value", [{"bytes": "text"}, {"bytes": [300]}, {"bytes": None}, [], 7])
def test_a_header_of_a_broker_may_be_anything(value: Any) -> None:
    event = rabbit_mq()
    [message] = event["rmqMessagesByQueue"]["orders::/"]
    message["basicProperties"]["headers"]["x-correlation-id"] = value
    assert only(event).correlation.id in (REQUEST_ID, ",")


def test_data_that_is_not_base64_is_handed_over() -> None:
    event = active_mq()
    event["messages"][0]["data"] = "no base64!"
    record = only(event)
    assert record.data == b"no base64!"
    assert record.problem == "a record's data is not base64"
