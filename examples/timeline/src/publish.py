"""publish, the edge: takes a post, and puts `post-published` on the stream."""

from __future__ import annotations

import base64
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3

import clew

log = clew.get_logger(__name__)
kinesis = boto3.client("kinesis")


@clew.api_handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``POST /posts`` with ``{"author": "arya", "text": "…"}``: 202 and the post's id.

    In the place of the text, or beside it, a post may have a picture: ``"picture": "URL"``.
    """
    asked = read_body(event)
    if problem := problem_with(asked):
        log.warning("not a post", extra={"reason": problem})
        return answer(400, {"error": problem})

    now = datetime.now(UTC).isoformat(timespec="microseconds")
    post_id = f"post-{uuid.uuid4().hex[:12]}"
    clew.bind(post_id=post_id)
    post = {"event": "post-published", "post": post_id, "published": now, **asked}
    kinesis.put_record(
        StreamName=os.environ["STREAM_NAME"],
        PartitionKey=asked["author"],  # the posts of one author stay in order
        Data=json.dumps(post).encode(),
    )
    log.info("published", extra={"author": asked["author"]})
    return answer(202, {"post": post_id})


def read_body(event: dict[str, Any]) -> Any:
    """What of the request's body a post is made of, or None if it is no JSON object."""
    body = event.get("body") or ""
    try:
        found = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {name: found[name] for name in ("author", "text", "picture") if name in found}


def problem_with(asked: Any) -> str:
    """What keeps ``asked`` from being a post, in a sentence; "" if it is one."""
    if not isinstance(asked, dict):
        return "A post has to be a JSON object."
    if not all(isinstance(value, str) and value for value in asked.values()):
        return "What a post has, has to be a text."
    if "author" not in asked or not asked.keys() & {"text", "picture"}:
        return "A post has to have an 'author', and a 'text' or a 'picture'."
    return ""


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """A response of API Gateway's."""
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
