"""What is done with a post: every follower of its author has it on their timeline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Key

import clew

if TYPE_CHECKING:
    from collections.abc import Iterator

log = clew.get_logger(__name__)
dynamodb = boto3.resource("dynamodb")
followers_table = dynamodb.Table(os.environ["FOLLOWERS_TABLE"])
timelines_table = dynamodb.Table(os.environ["TIMELINES_TABLE"])


def place(record: clew.KinesisRecord) -> None:
    """Put one post on its followers' timelines.

    What is written for a post is the same each time, so that it may come more than once.
    """
    post = record.payload
    log.debug("post as read", extra={"read": post})
    entry = {
        "place": f"{post['published']} {post['post']}",
        "post": post["post"],
        "author": post["author"],
        "preview": preview(post),
    }
    readers = 0
    with timelines_table.batch_writer() as timelines:
        for follower in followers_of(post["author"]):
            timelines.put_item(Item={"reader": follower, **entry})
            readers += 1
    log.info("on the timelines", extra={"post": post["post"], "readers": readers})


def preview(post: dict[str, Any]) -> str:
    """What a timeline shows of a post: the beginning of its text."""
    text: str = post["text"]  # the bug: a post may be a picture, and have none
    return text[:80]


def followers_of(author: str) -> Iterator[str]:
    """Who follows an author."""
    question: dict[str, Any] = {"KeyConditionExpression": Key("author").eq(author)}
    while True:
        answer = followers_table.query(**question)
        for item in answer["Items"]:
            yield str(item["follower"])
        if "LastEvaluatedKey" not in answer:
            return
        question["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
