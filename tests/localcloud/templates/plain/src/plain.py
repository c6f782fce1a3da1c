"""Handlers that show what the local cloud gives a function."""

import base64
import json
import os
import sys
import urllib.request
from typing import Any


def edge(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Passes what was asked on to everything else."""
    print("edge says", os.environ["GREETING"])
    if (event.get("body") or "") == "pass it on":
        import boto3

        with urllib.request.urlopen(os.environ["BACK_URL"], timeout=5) as answer:
            back = json.load(answer)
        boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message="from edge")
        boto3.client("kinesis").put_record(
            StreamName=os.environ["STREAM"], PartitionKey="1", Data=b"from edge"
        )
    else:
        back = None
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    body = {"event": event, "environment": environment, "back": back, "python": sys.executable}
    return {"statusCode": 200, "body": json.dumps(body)}


def back(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers with the trace header that it was given."""
    print("back was called")
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    return {"statusCode": 200, "body": json.dumps({"event": event, "trace": trace})}


def heard(event: dict[str, Any], context: object) -> None:
    """Prints each message."""
    for record in event["Records"]:
        print("heard", json.dumps(record))


def drained(event: dict[str, Any], context: object) -> None:
    """Prints each payload, and fails on one that says so."""
    for record in event["Records"]:
        payload = base64.b64decode(record["kinesis"]["data"]).decode()
        print("drained", payload)
        if payload == "fail":
            raise RuntimeError("told to fail")
