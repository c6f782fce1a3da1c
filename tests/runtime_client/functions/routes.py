"""One function with every kind of handler; the event's shape says which one is asked."""

import sys
import threading
from typing import Any

import clew

log = clew.get_logger(__name__)


class OutOfWine(Exception):
    """An error of the user's."""


def serve(event: Any, context: Any) -> Any:
    """Fail, end the process, hang, or log and answer."""
    body = event.get("body")
    if body == "fail":
        log.debug("held back")
        raise OutOfWine("no more wine")
    if body == "exit":
        sys.exit(3)
    if body == "hang":
        log.debug("before it hangs")
        threading.Event().wait()
    clew.bind(user_id=42)
    log.info("serving", extra={"remaining": context.get_remaining_time_in_millis() > 0})
    log.debug("in detail")
    return {"statusCode": 200, "body": body}


edge = clew.api_handler(serve)


@clew.kinesis_handler(on_failure=clew.halt())
def each(record: clew.KinesisRecord) -> None:
    """Log the record."""
    log.info("each", extra={"payload": record.payload})


@clew.sns_handler
def message(record: clew.SnsRecord) -> None:
    """Log the message."""
    log.info("message", extra={"text": record.payload})


def handler(event: Any, context: Any) -> Any:
    """What Lambda calls."""
    if event.get("body") == "undecorated":
        return serve({"body": "fail"}, context)
    (record,) = event.get("Records", [{}])
    by_source = {"aws:kinesis": each, "aws:sns": message}
    source = record.get("eventSource") or record.get("EventSource")
    return by_source.get(source, edge)(event, context)
