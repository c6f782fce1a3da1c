"""Two functions that make one story, and lines of every shape."""

from __future__ import annotations

import os
import sys
from typing import Any

import boto3

import clew

log = clew.get_logger(__name__)
sns = boto3.client("sns")


@clew.handler
def publish(event: Any, context: Any) -> str:
    log.info("publishing", extra={"what": event["what"]})
    print("a print, before\n  and what belongs to it", file=sys.stderr)
    sns.publish(TopicArn=os.environ["TOPIC"], Message="hello")
    return clew.current().id


@clew.sns_handler
def notify(record: Any) -> None:
    log.info("notified", extra={"message_text": record.payload})
