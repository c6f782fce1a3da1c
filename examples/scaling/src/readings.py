"""Notes of each batch which numbers of which meters it held, in the order they came."""

import json
import os
import time

import boto3

import clew

log = clew.get_logger(__name__)
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


@clew.kinesis_handler(batch=True, on_failure=clew.halt())
def readings(records: list[clew.Record]) -> None:
    """One item for a batch: its time, and ``{meter: [numbers]}``."""
    read: dict[str, list[int]] = {}
    for record in records:
        read.setdefault(record.payload["meter"], []).append(record.payload["number"])
    first = records[0].position
    table.put_item(
        Item={
            "batch": f"{first['shardId']}/{first['sequenceNumber']}",
            "at": time.time_ns(),
            "read": json.dumps(read),
        }
    )
    log.info("read a batch", extra={"records": len(records), "shard": first["shardId"]})
