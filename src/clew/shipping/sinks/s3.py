"""S3: one object of gzipped JSON lines a request, which ``clew store import`` and Athena read."""

from __future__ import annotations

import gzip
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from clew.shipping.answers import TAKEN, Outcome
from clew.shipping.documents import document, timestamp, to_json
from clew.shipping.sinks import aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address


class S3Sink:
    """A place in a bucket."""

    max_lines = 50_000
    max_bytes = 16 << 20

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        self.name = f"s3://{bucket}/{self._prefix}"

    def pack(self, line: Line) -> bytes:
        """The line's document."""
        return to_json(document(line)) + b"\n"

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:  # noqa: ARG002
        """Write one object. The same lines have the same name: what comes twice is there once."""
        from botocore.exceptions import BotoCoreError, ClientError

        body = b"".join(parcel.data for parcel in parcels)
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key_of(parcels[0].line, body),
                Body=gzip.compress(body, 5, mtime=0),
                ContentType="application/x-ndjson",
                ContentEncoding="gzip",
            )
        except (BotoCoreError, ClientError) as error:
            raise aws.failure(error, self.name) from None
        return TAKEN

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def key_of(first: Line, body: bytes) -> str:
    """The name of an object: the hour of its first line, and what is in it."""
    at = timestamp(first.at_ms)
    return f"{at[:4]}/{at[5:7]}/{at[8:10]}/{at[11:13]}/{sha256(body).hexdigest()[:32]}.ndjson.gz"


def open_sink(address: Address, client: Callable[[str, str], Any] = aws.client) -> S3Sink:
    """``s3://BUCKET/PREFIX``, with ``?region=`` where it is in another one."""
    found = client("s3", address.options.get("region", ""))
    return S3Sink(found, address.host, address.path.lstrip("/"))
