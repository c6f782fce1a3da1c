"""Records of DynamoDB streams and Firehose, and Kinesis records of pipes."""

from __future__ import annotations

from typing import Any

from .common import Fields, body, encoded


def dynamodb_record(
    new: Any = None, old: Any = None, *, name: str = "MODIFY", number: int = 0
) -> dict[str, Any]:
    """One change of an item; ``new`` and ``old`` are images, ``None`` where there is none."""
    images = {"NewImage": new, "OldImage": old}
    return {
        "eventID": f"c4ca4238a0b923820dcc509a6f75849{number}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1479499740,
            "Keys": {"id": {"S": "7"}},
            **{key: image for key, image in images.items() if image is not None},
            "SequenceNumber": f"449200000000001783492671{number}",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2021",
    }


def item(fields: Fields = None, name: str = "__context", **attributes: Any) -> dict[str, Any]:
    """An item as a stream has it, with a context as a sender with clew writes it."""
    context = {} if fields is None else {name: {"M": {k: {"S": v} for k, v in fields.items()}}}
    return {"id": {"S": "7"}, "total": {"N": "12.5"}, **attributes, **context}


def dynamodb(*records: dict[str, Any]) -> dict[str, Any]:
    """A DynamoDB stream's event."""
    return {"Records": list(records or (dynamodb_record(item()),))}


def firehose_record(data: Any, number: int = 0, **others: Any) -> dict[str, Any]:
    """One record to transform; ``data`` that is not bytes stands there as it is."""
    return {
        "recordId": f"4954691538949047444038952155051419158405254487169{number:04d}",
        "approximateArrivalTimestamp": 1583348638390,
        "data": encoded(data) if isinstance(data, bytes) else data,
        **others,
    }


def firehose(*records: dict[str, Any]) -> dict[str, Any]:
    """A batch to transform."""
    return {
        "invocationId": "2b4d1ad9-2f48-94bd-a088-767c317e994a",
        "deliveryStreamArn": "arn:aws:firehose:eu-central-1:111122223333:deliverystream/orders",
        "region": "eu-central-1",
        "records": list(records or (firehose_record(body()),)),
    }


def piped_kinesis(data: Any, number: int = 0) -> dict[str, Any]:
    """A Kinesis record as a pipe has it: without ``kinesis`` around its members."""
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "customer-1",
        "sequenceNumber": f"4959033827149025660855969253836157109592157598913658{number:04d}",
        "data": encoded(data),
        "approximateArrivalTimestamp": 1545084650.987,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:495903382714902566085596925383615710959{number:04d}",
        "eventName": "aws:kinesis:record",
        "eventSourceARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/orders",
    }
