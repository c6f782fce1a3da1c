"""The functions of the shop. Each acts by the plan that it was sent; see `acts`."""

from __future__ import annotations

import json
import os
from typing import Any

from acts import (  # type: ignore[import-not-found]
    StatusError,
    act,
    client,
    log,
    name,
)

import clew

GIVEN_UP = os.environ["SPOILED"]


@clew.api_handler
def http(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Any API: 202, unless the plan says otherwise."""
    try:
        act(json.loads(event.get("body") or "{}").get("plan"))
    except StatusError as other:
        return {"statusCode": other.args[0], "body": "no"}
    return {"statusCode": 202, "body": "{}"}


@clew.sns_handler
def topic(record: clew.SnsRecord) -> None:
    """On a topic."""
    act(json.loads(record.payload)["plan"])


@clew.handler
def queue(event: dict[str, Any], context: object) -> None:
    """On a queue, a message at a time."""
    (message,) = event["Records"]
    body = json.loads(message["body"])
    act(body.get("plan"))
    log.info("taken from the queue")


@clew.kinesis_handler(on_failure=clew.halt(), report=False)
def stream(record: clew.KinesisRecord) -> None:
    """On a stream, whose mapping halves a batch that fails."""
    act(record.payload["plan"])


@clew.kinesis_handler(on_failure=clew.retry(times=2, within="5s", then=clew.dead_letter(GIVEN_UP)))
def careful(record: clew.KinesisRecord) -> None:
    """On a stream, with a queue for what cannot be done."""
    act(record.payload["plan"])


@clew.handler
def invoked(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Invoked directly, as a rule's target, or by a state machine."""
    plan = event.get("plan") or event.get("detail", {}).get("plan")
    act(plan)
    log.info("invoked", extra={"with": sorted(event)})
    return event


@clew.dynamodb_handler(on_failure=clew.halt())
def table(record: clew.DynamoDBRecord) -> None:
    """On a table's stream."""
    log.info("indexed", extra={"order": record.payload})


@clew.handler
def bucket(event: dict[str, Any], context: object) -> None:
    """On a bucket: the ids are in the object's metadata."""
    for record in clew.s3_records(event):
        with clew.use(record.fetch_correlation()):
            log.info("scanned", extra={"key": record.key})


def bare(event: dict[str, Any], context: object) -> None:
    """Without clew: invokes another function with what it is told, and whence that came."""
    for record in event["Records"]:
        sns = record["Sns"]
        came = {key: one["Value"] for key, one in sns["MessageAttributes"].items()}
        client("lambda").invoke(
            FunctionName=name("PRICES"),
            InvocationType="Event",
            Payload=json.dumps({**json.loads(sns["Message"]), "__context": came}).encode(),
        )


def forgetful(event: dict[str, Any], context: object) -> None:
    """Without clew: knows the id from its event, and logs it in its own way."""
    for record in event["Records"]:
        attributes = record["Sns"]["MessageAttributes"]
        request = attributes["x-correlation-id"]["Value"]
        print(f"INFO sending the letter of request {request}")
        print(json.dumps({"level": "info", "msg": "letter sent", "correlationId": request}))
        print("INFO nothing to see here")
