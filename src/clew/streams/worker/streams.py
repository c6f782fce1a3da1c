"""Finds the ARN of a stream by its name, or by its table's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from clew.streams.worker.errors import WorkerError

if TYPE_CHECKING:
    import boto3


def stream_arn(session: boto3.Session, stream: str | None, table: str | None) -> str:
    """The ARN of a Kinesis stream or of a DynamoDB table's newest stream.

    Args:
        session: Whose account and region are looked in.
        stream: A stream's name, or an ARN, which comes back as it is.
        table: A table's name.

    Raises:
        WorkerError: There is none, or it is not said which.
    """
    if bool(stream) == bool(table):
        raise WorkerError("It is not said what to read; give --stream or --table, and not both.")
    if stream and stream.startswith("arn:"):
        return stream
    what = f"the Kinesis stream {stream}" if stream else f"the DynamoDB table {table}"
    try:
        if stream:
            summary = session.client("kinesis").describe_stream_summary(StreamName=stream)
            return summary["StreamDescriptionSummary"]["StreamARN"]
        found = session.client("dynamodb").describe_table(TableName=table or "")["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise WorkerError(f"There is no such stream as {what}; create it first.") from None
        raise WorkerError(f"AWS does not tell about {what}: {error}") from error
    except BotoCoreError as error:
        raise WorkerError(f"AWS cannot be asked about {what}: {error}.") from error
    if not (arn := found.get("LatestStreamArn")):
        raise WorkerError(f"The DynamoDB table {table} has no stream; enable one on it.")
    return arn
