"""Stories are read out of files, standard input and S3."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clew.stories import find_story
from clew.stories.files_source import FilesSource
from clew.stories.lines import EPOCH
from clew.stories.search import search_stories
from clew.stories.store import StoreError

from .runtime import START_S
from .test_search import lines

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud


def ndjson() -> bytes:
    return b"".join(
        json.dumps(
            {
                "at": one.at_ms,
                "logGroup": one.log_group,
                "stream": one.stream,
                "message": one.message,
            }
        ).encode()
        + b"\n"
        for one in lines()
    )


def no_s3() -> Any:
    raise AssertionError("nobody asked for S3")


def test_a_story_in_files(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.ndjson", tmp_path / "b.ndjson.gz"
    half = ndjson().splitlines(keepends=True)
    plain.write_bytes(b"".join(half[::2]))
    packed.write_bytes(gzip.compress(b"".join(half[1::2])))
    counts: list[int] = []
    source = FilesSource((str(plain), str(packed)), io.BytesIO(), no_s3, counts.append)
    assert find_story(source, "request-2").functions == ("checkout-api", "mail")
    assert search_stories(source, "declined").total == 2
    assert sum(counts) > 0
    assert source.name == f"{plain} and 1 more"


def test_a_story_in_what_is_typed_is_read_as_often_as_is_needed() -> None:
    source = FilesSource(("-",), io.BytesIO(ndjson()), no_s3)
    assert find_story(source, "request-2").functions == ("checkout-api", "mail")
    assert len(list(source.lines(None))) == len(lines())
    start = EPOCH + timedelta(seconds=int(START_S))
    later = source.lines(None, start + timedelta(seconds=3), start + timedelta(seconds=3.5))
    assert {line.at_ms // 1000 - int(START_S) for line in later} == {3}
    assert source.name == "standard input"


def test_an_id_that_json_writes_in_another_way_is_found() -> None:
    odd = 'a"b\\ü'
    said = json.dumps({"x-correlation-id": odd, "message": "hello", "function": "f"})
    source = FilesSource(("-",), io.BytesIO(said.encode()), no_s3)
    assert find_story(source, odd).functions == ("f",)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    source = FilesSource((str(tmp_path / "none"),), io.BytesIO(), no_s3)
    with pytest.raises(StoreError, match="none cannot be read: No such file"):
        find_story(source, "request-2")


@pytest.mark.local_cloud
def test_a_story_in_s3(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    bucket = f"logs-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="2026/01/a.gz", Body=gzip.compress(ndjson()))
    source = FilesSource((f"s3://{bucket}/2026/",), io.BytesIO(), lambda: s3)
    assert find_story(source, "request-2").functions == ("checkout-api", "mail")
