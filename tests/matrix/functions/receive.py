"""Receives whatever comes, from any source, and logs what came with it."""

from __future__ import annotations

from typing import Any

import clew

log = clew.get_logger("receive")


@clew.handler
def handler(event: Any, context: Any) -> dict[str, Any]:
    """One line for each thing that came, and one at DEBUG."""
    delivery = clew.capture(event)
    uploads = clew.s3_records(delivery)
    for upload in uploads:
        upload.fetch_correlation()
    for one in uploads or delivery.records or [delivery]:
        with clew.use(one.correlation):
            log.info("received", extra={"source": delivery.source, "event": as_it_came()})
            log.debug("in detail")
    return answer(event)


def as_it_came() -> Any:
    """The event as Lambda gave it, before anything was taken out."""
    invocation = clew.current().invocation
    return invocation.event if invocation is not None else None


def answer(event: Any) -> dict[str, Any]:
    """What API Gateway wants, or Firehose; nobody else looks at it."""
    records = event.get("records", []) if isinstance(event, dict) else []
    if isinstance(records, list):
        return {
            "statusCode": 200,
            "headers": {"content-type": "text/plain"},
            "body": "received",
            "records": [
                {"recordId": one["recordId"], "result": "Ok", "data": one["data"]}
                for one in records
            ],
        }
    return {"statusCode": 200}


@clew.handler
def fail(event: Any, context: Any) -> None:
    """An invocation that ends in Lambda's destination for failures."""
    raise RuntimeError("handed on")
