"""Queues to look into, and what a message brought."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


SECRET = "a secret of these tests"
#: Credentials that can authorise nothing anywhere.
ACCOUNT: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": SECRET,
}


def client_at(url: str, service: str, session: boto3.Session | None = None) -> Any:
    """A client that was made by hand, of a session of its own if none is given."""
    made: Any = session or boto3.Session(**ACCOUNT)
    return made.client(service, endpoint_url=url)


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"forward-{name}-{uuid.uuid4().hex[:8]}"


class Queue:
    """A queue of the local cloud."""

    def __init__(self, cloud: LocalCloud, name: str) -> None:
        self._sqs = cloud.client("sqs")
        self.url: str = self._sqs.create_queue(QueueName=unique(name))["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn: str = wanted["Attributes"]["QueueArn"]

    def take(self, count: int = 1) -> list[dict[str, Any]]:
        """``count`` messages with all of their attributes."""
        taken: list[dict[str, Any]] = []
        while len(taken) < count:
            answer = self._sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                WaitTimeSeconds=5,
            )
            assert answer.get("Messages"), f"{len(taken)} messages came, not {count}"
            taken += answer["Messages"]
            for message in answer["Messages"]:
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)
        return taken


def texts(attributes: dict[str, Any]) -> dict[str, str]:
    """The values of a message's attributes that are text."""
    return {
        name: attribute["StringValue"]
        for name, attribute in attributes.items()
        if "StringValue" in attribute
    }
