"""Log lines from the objects below a prefix of S3, and to an object."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from clew.stories.store.errors import StoreError
from clew.stories.store.files import NO_GROUP, compressed, read_stream, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clew.stories.store.batch import Entry, Keyed

SCHEME = "s3://"


class Address(NamedTuple):
    """A bucket, and a key or the beginning of keys."""

    bucket: str
    key: str


def address(text: str) -> Address:
    """What ``s3://bucket/prefix`` names.

    Raises:
        StoreError: It names no bucket.
    """
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not bucket:
        message = f"{text} names no bucket; write s3://BUCKET/PREFIX."
        raise StoreError(message)
    return Address(bucket, key)


def read_prefix(
    client: Any,
    where: Address,
    group: str = NO_GROUP,
    read: Callable[[int], object] | None = None,
    begun: Callable[[str], object] | None = None,
) -> Iterator[Entry | Keyed]:
    """The lines of every object whose key begins so, by key; each is streamed.

    Args:
        client: A boto3 client of S3.
        where: Bucket and prefix.
        group: The log group of lines that name none.
        read: Told how many more bytes were read.
        begun: Told the key of each object.

    Raises:
        StoreError: There is none, or one cannot be read.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    some = False
    try:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=where.bucket, Prefix=where.key
        )
        for page in pages:
            for one in page.get("Contents", ()):
                if not one["Size"]:  # what a console makes of a folder
                    continue
                some = True
                if begun is not None:
                    begun(one["Key"])
                body = client.get_object(Bucket=where.bucket, Key=one["Key"])["Body"]
                at_ms = int(one["LastModified"].timestamp() * 1000)
                with body:
                    yield from read_stream(body, one["Key"], group, at_ms, read)
    except (BotoCoreError, ClientError) as error:
        message = f"s3://{where.bucket}/{where.key} cannot be read: {error}"
        raise StoreError(message) from error
    if not some:
        message = (
            f"No object of the bucket {where.bucket} has a key that begins with {where.key!r}."
        )
        raise StoreError(message)


def write_object(client: Any, lines: Iterable[Keyed], where: Address) -> int:
    """Write lines as one object, compressed as its key ends; how many."""
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import BotoCoreError, ClientError

    with tempfile.TemporaryFile() as file:
        ending = where.key[where.key.rfind(".") :] if "." in where.key else ""
        with compressed(file, ending) as target:
            count = write_lines(lines, target)
        file.seek(0)
        try:
            client.upload_fileobj(file, where.bucket, where.key)
        except (BotoCoreError, ClientError, S3UploadFailedError) as error:
            message = f"s3://{where.bucket}/{where.key} cannot be written: {error}"
            raise StoreError(message) from error
    return count
