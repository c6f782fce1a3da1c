"""Records of Kafka topics and messages of Amazon MQ, straight and through pipes."""

from __future__ import annotations

from typing import Any

from .common import BROKER, CLUSTER, Fields, encoded


def kafka_headers(fields: dict[str, str]) -> list[dict[str, list[int]]]:
    """Record headers as Lambda delivers them: lists of bytes."""
    return [{name: list(value.encode())} for name, value in fields.items()]


def kafka_record(
    value: Any = b"{}", headers: Any = None, offset: int = 15, partition: int = 0, **others: Any
) -> dict[str, Any]:
    """One record of a topic; a value that is not bytes stands there as it is."""
    return {
        "topic": "orders",
        "partition": partition,
        "offset": offset,
        "timestamp": 1545084650987,
        "timestampType": "CREATE_TIME",
        "key": encoded(b"customer-1"),
        "value": encoded(value) if isinstance(value, bytes) else value,
        "headers": [] if headers is None else headers,
        **others,
    }


def kafka(*records: dict[str, Any], source: str = "aws:kafka") -> dict[str, Any]:
    """A Kafka event, records by topic and partition."""
    groups: dict[str, list[Any]] = {}
    for record in records or (kafka_record(),):
        groups.setdefault(f"{record['topic']}-{record['partition']}", []).append(record)
    return {
        "eventSource": source,
        "eventSourceArn": CLUSTER,
        "bootstrapServers": "b-1.example.com:9092",
        "records": groups,
    }


def active_mq(fields: Fields = None, data: bytes = b"hello") -> dict[str, Any]:
    """An ActiveMQ event; properties have names of Java's."""
    own = {name.replace("-", "_"): value for name, value in (fields or {}).items()}
    return {
        "eventSource": "aws:mq",
        "eventSourceArn": BROKER,
        "messages": [
            {
                "messageID": "ID:b-1.mq.eu-central-1.amazonaws.com-37557-4:1:1:1:1",
                "messageType": "jms/text-message",
                "deliveryMode": 1,
                "expiration": "60000",
                "priority": 1,
                "correlationId": "of-a-reply",
                "redelivered": False,
                "destination": {"physicalName": "orders"},
                "data": encoded(data),
                "timestamp": 1598827811958,
                "properties": {"doAlarm": "false", **own},
            }
        ],
    }


def rabbit_mq(fields: Fields = None, data: bytes = b"hello") -> dict[str, Any]:
    """A RabbitMQ event; texts in headers are lists of bytes."""
    headers = {name: {"bytes": list(value.encode())} for name, value in (fields or {}).items()}
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": BROKER,
        "rmqMessagesByQueue": {
            "orders::/": [
                {
                    "basicProperties": {
                        "contentType": "text/plain",
                        "headers": {"tenant": {"bytes": [97]}, "number": 10, **headers},
                        "deliveryMode": 1,
                        "messageId": "m-1",
                    },
                    "redelivered": False,
                    "data": encoded(data),
                }
            ]
        },
    }


def piped_kafka(fields: Fields = None, source: str = "aws:kafka", **others: Any) -> dict[str, Any]:
    """A Kafka record as a pipe has it."""
    record = kafka_record(headers=kafka_headers(fields or {}), **others)
    return record | {"eventSource": source, "eventSourceKey": "orders-0"}


def piped_active_mq(fields: Fields = None) -> dict[str, Any]:
    """An ActiveMQ message as a pipe has it."""
    [message] = active_mq(fields)["messages"]
    return {**message, "eventSource": "aws:amq", "destination": {"physicalname": "orders"}}


def piped_rabbit_mq(fields: Fields = None) -> dict[str, Any]:
    """A RabbitMQ message as a pipe has it."""
    [message] = rabbit_mq(fields)["rmqMessagesByQueue"]["orders::/"]
    return {**message, "eventSource": "aws:rmq", "eventSourceKey": "orders::/"}
