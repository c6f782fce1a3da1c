"""api-a, the edge: takes a post, and tells the topic and the stream that it is published."""

from __future__ import annotations

import base64
import json
import os
import uuid
from typing import Any
from urllib.parse import quote

import boto3
import requests

import clew

log = clew.get_logger(__name__)
sns = boto3.client("sns")
kinesis = boto3.client("kinesis")


@clew.api_handler(debug_sample_rate=0.05)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``POST /posts`` with ``{"author": "tywin", "text": "…"}``: 202 and the post's id.

    ``"new_follower": "margaery"`` has somebody follow the author, from this post on.
    """
    asked = read_body(event)
    if problem := problem_with(asked):
        log.warning("not a post", extra={"reason": problem})
        return answer(400, {"error": problem})

    post_id = f"post-{uuid.uuid4().hex[:12]}"
    clew.bind(post_id=post_id)
    log.debug("post as it came", extra={"post": asked})

    author = find_author(asked["author"])
    if author is None:
        log.warning("nobody by that name", extra={"author": asked["author"]})
        return answer(404, {"error": f"There is no author {asked['author']}."})

    followers = list(author["followers"])
    if asked.get("new_follower"):
        followers.append(asked["new_follower"])
    post = {"post": post_id, "author": asked["author"], "text": asked["text"]}
    log.info("publishing", extra={"author": author["name"], "followers": len(followers)})

    sns.publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Message=json.dumps(post),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "post"}},
    )
    kinesis.put_record(
        StreamName=os.environ["STREAM_NAME"],
        PartitionKey=asked["author"],  # the posts of one author stay in order
        Data=json.dumps({**post, "followers": followers}).encode(),
    )
    log.debug("topic and stream know of it", extra={"followers": followers})
    return answer(202, {"post": post_id})


def read_body(event: dict[str, Any]) -> Any:
    """The JSON in the request's body, or None if it is none."""
    body = event.get("body") or ""
    try:
        return json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError:
        return None


def problem_with(asked: Any) -> str:
    """What keeps ``asked`` from being a post, in a sentence; "" if it is one."""
    if not isinstance(asked, dict):
        return "A post has to be a JSON object."
    for name in ("author", "text"):
        if not isinstance(asked.get(name), str) or not asked[name]:
            return f"A post has to have {name!r}, a text."
    if not isinstance(asked.get("new_follower", ""), str):
        return "'new_follower' has to be a text."
    return ""


def find_author(name: str) -> dict[str, Any] | None:
    """What api-b knows of an author, or None if there is none of that name."""
    response = requests.get(f"{os.environ['AUTHORS_URL']}/authors/{quote(name, '')}", timeout=15)
    if response.status_code == requests.codes.not_found:
        return None
    response.raise_for_status()
    author: dict[str, Any] = response.json()
    return author


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """A response of API Gateway's."""
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
