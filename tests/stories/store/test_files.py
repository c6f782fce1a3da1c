"""Lines in files and in S3: what is written is read again, whatever it is packed in."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from clew.stories.store import Entry, Store, StoreError
from clew.stories.store.documents import documents
from clew.stories.store.files import read_file, read_stream, write_file
from clew.stories.store.s3 import address, read_prefix, write_object

from .lines import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud
    from clew.stories.lines import RawLine


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "logs.db", write=True) as opened:
        yield opened


def delivered(group: str, first: int, count: int, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """What CloudWatch Logs delivers to a subscription."""
    return {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": group,
        "logStream": "stream",
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": f"3{number:055}", "timestamp": number, "message": f"line {number} {{}}"}
            for number in range(first, first + count)
        ],
    }


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_what_is_written_is_read_again(store: Store, tmp_path: Path, ending: str) -> None:
    lines: list[RawLine | Entry] = [*requests(20)]
    lines.append(Entry(5, "g", "s", 'odd "\0\n\u2028 …\ud800'))
    store.add(lines)
    path = tmp_path / f"lines.ndjson{ending}"
    assert write_file(store.entries(), path) == len(lines)
    read: list[int] = []
    assert list(read_file(path, read=read.append)) == list(store.entries())
    assert sum(read) == path.stat().st_size
    assert store.add(read_file(path)) == (0, len(lines))
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []


@pytest.mark.parametrize("between", ["", "\n", "\r\n "])
@pytest.mark.parametrize("members", [1, 3])
def test_what_firehose_delivers(store: Store, between: str, members: int) -> None:
    payloads = [json.dumps(delivered("/aws/lambda/f", 100 * n, 100)) + between for n in range(30)]
    payloads.append(json.dumps(delivered("", 0, 1, "CONTROL_MESSAGE")))
    size = len(payloads) // members + 1
    parts = [payloads[at : at + size] for at in range(0, len(payloads), size)]
    packed = b"".join(gzip.compress("".join(part).encode()) for part in parts)
    assert store.add(read_stream(io.BytesIO(packed), "object")) == (3_000, 0)
    assert store.add(read_stream(io.BytesIO(packed), "object again")) == (0, 3_000)
    (line, *_) = store.lines(None)
    assert line == (0, "/aws/lambda/f", "stream", "line 0 {}")


def test_a_large_object_without_line_breaks_is_read_in_parts() -> None:
    text = "".join(json.dumps(delivered("é", n * 50, 50), ensure_ascii=False) for n in range(700))
    assert len(text) > 2 << 20
    found = list(documents(io.BytesIO(text.encode())))
    assert [one["logEvents"][0]["timestamp"] for _, one in found] == list(range(0, 35_000, 50))


def test_any_other_line_is_a_log_line(store: Store) -> None:
    text = (
        b'{"timestamp":"2026-01-02T03:04:05.678Z","message":"of clew"}\r\n'
        b'just text\n\n[1]\n{"half": \n'
        b'\xff\xfe{"message": "named", "at": "no number", "logGroup": "g"}'
    )
    entries = list(read_stream(io.BytesIO(text), "app.log", "my-group", 7))
    assert [(one.at_ms, one.log_group, one.stream) for one in entries] == [
        (1_767_323_045_678, "my-group", "app.log"),
        *[(7, "my-group", "app.log")] * 4,
    ]
    assert [one.message for one in entries[1:4]] == ["just text", "[1]", '{"half": ']
    assert entries[4].message.startswith("\ufffd\ufffd{")
    assert store.add(entries) == (5, 0)


def test_zstd_of_several_frames() -> None:
    pack = zstandard.ZstdCompressor().compress
    packed = b"".join(pack(f"line {number}\n".encode() * 3_000) for number in range(5))
    read = list(read_stream(io.BytesIO(packed), "lines"))
    assert [one.message for one in read[::3_000]] == [f"line {number}" for number in range(5)]
    assert len(read) == 15_000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_file_that_ends_in_the_middle(store: Store, tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "lines"
    text = "".join(f"line {uuid.uuid4()}\n" for _ in range(20_000))
    path.write_bytes(pack(text.encode())[:-1_000])
    with pytest.raises(StoreError, match="lines is damaged, or ends in the middle"):
        store.add(read_file(path))


def test_what_cannot_be_read_or_written(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none cannot be read: No such file"):
        store.add(read_file(tmp_path / "none"))
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        write_file([], tmp_path / "none" / "lines")
    with pytest.raises(StoreError, match="names no bucket"):
        address("s3://")


def test_lines_go_to_s3_and_come_back(cloud: LocalCloud, store: Store, tmp_path: Path) -> None:
    client = cloud.client("s3")
    bucket = f"store-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    lines = requests(10)
    store.add(lines)
    where = address(f"s3://{bucket}/2026/01/lines.ndjson.gz")
    assert write_object(client, store.entries(), where) == len(lines)
    firehose = gzip.compress(b"".join(json.dumps(delivered("g", n, 1)).encode() for n in range(9)))
    client.put_object(Bucket=bucket, Key="2026/01/logs-1", Body=firehose)
    client.put_object(Bucket=bucket, Key="2026/01/folder/", Body=b"")
    client.put_object(Bucket=bucket, Key="2025/other", Body=b"not read")
    begun: list[str] = []
    read: list[int] = []
    with Store(tmp_path / "other.db", write=True) as other:
        found = read_prefix(
            client, address(f"s3://{bucket}/2026/"), read=read.append, begun=begun.append
        )
        assert other.add(found) == (len(lines) + 9, 0)
        assert sorted(begun) == ["2026/01/lines.ndjson.gz", "2026/01/logs-1"]
        assert sum(read) > 0
        with pytest.raises(StoreError, match=r"No object of the bucket .* begins with '2024/'"):
            other.add(read_prefix(client, address(f"s3://{bucket}/2024/")))
        with pytest.raises(StoreError, match=r"cannot be read: .*NoSuchBucket"):
            other.add(read_prefix(client, address("s3://there-is-no-such-bucket-here/")))
