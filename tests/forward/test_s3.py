"""S3: the metadata of the object, however it was uploaded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import requests

import clew
from clew.forward.limits import S3_METADATA

from .aws import unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    from pathlib import Path

    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    made = unique("bucket")
    s3.create_bucket(Bucket=made)
    return made


def _metadata(s3: Any, bucket: str, key: str) -> Any:
    return s3.head_object(Bucket=bucket, Key=key)["Metadata"]


def test_an_object_has_them_as_metadata(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    own = {"Mine": "1"}
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x", Metadata=own)
    sent = only(invocation.sent)
    assert own == {"Mine": "1"}
    assert _metadata(s3, bucket, "a/b") == {**fields_of(sent), "mine": "1"}
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"
    assert (sent.service, sent.operation) == ("s3", "PutObject")
    assert (sent.target, sent.outcome) == (f"s3://{bucket}/a/b", "ok")


def test_a_version_is_noted(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    answer = s3.put_object(Bucket=bucket, Key="versioned", Body=b"x")
    assert only(invocation.sent).position == {"versionId": answer["VersionId"]}


def test_the_users_own_metadata_stays(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    s3.put_object(Bucket=bucket, Key="own", Metadata={"X-Correlation-Id": "theirs"})
    metadata = _metadata(s3, bucket, "own")
    assert metadata["x-correlation-id"] == "theirs"
    assert metadata["traceparent"] == fields_of(only(invocation.sent))["traceparent"]
    assert only(invocation.sent).correlation.id == "theirs"


def test_what_is_stamped_already_is_taken_over(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    s3.put_object(Bucket=bucket, Key="first")
    metadata = _metadata(s3, bucket, "first")
    s3.put_object(Bucket=bucket, Key="second", Metadata=metadata)
    first, second = invocation.sent
    assert second.span_id == first.span_id
    assert _metadata(s3, bucket, "second") == metadata


def test_metadata_near_the_limit_is_not_pushed_over_it(
    s3: Any,
    bucket: str,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = {"pad": "x" * (S3_METADATA - 100)}
    s3.put_object(Bucket=bucket, Key="full", Metadata=own)
    assert _metadata(s3, bucket, "full") == own
    assert not only(invocation.sent).carried
    assert len(caplog.records) == 1


def test_an_upload_in_parts(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    where = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        **where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    assert _metadata(s3, bucket, "parts") == fields_of(only(invocation.sent))


def test_a_copy_carries_them_only_where_it_replaces_the_metadata(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with clew.use(clew.Correlation()):
        s3.put_object(Bucket=bucket, Key="source", Metadata={"mine": "1"})
    source = {"Bucket": bucket, "CopySource": f"{bucket}/source"}
    s3.copy_object(**source, Key="same")
    assert invocation.sent == []
    assert _metadata(s3, bucket, "same") == {"mine": "1"}
    s3.copy_object(**source, Key="new", MetadataDirective="REPLACE", Metadata={"mine": "2"})
    assert _metadata(s3, bucket, "new") == {**fields_of(only(invocation.sent)), "mine": "2"}


def test_a_presigned_url_asks_for_no_more_than_before(
    s3: Any, bucket: str, invocation: Invocation, in_force: clew.Correlation
) -> None:
    params = {"Bucket": bucket, "Key": "presigned"}
    url = s3.generate_presigned_url("put_object", Params=params)
    assert "x-amz-meta" not in url.lower()
    assert "x-correlation" not in url.lower()
    assert invocation.sent == []
    with clew.use(clew.Correlation()):
        assert requests.put(url, data=b"x", timeout=5).status_code == 200
    assert _metadata(s3, bucket, "presigned") == {}


def test_transfers_send_from_other_threads_under_the_same_ids(
    s3: Any, bucket: str, tmp_path: Path, invocation: Invocation, in_force: clew.Correlation
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    extra = {"Metadata": {"mine": "1"}}
    s3.upload_file(str(path), bucket, "file", ExtraArgs=extra)
    assert extra == {"Metadata": {"mine": "1"}}
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), bucket, "large")
    small, large = invocation.sent
    assert (small.operation, large.operation) == ("PutObject", "CreateMultipartUpload")
    assert _metadata(s3, bucket, "file") == {**fields_of(small), "mine": "1"}
    assert _metadata(s3, bucket, "large") == fields_of(large)
    assert large.outcome == "ok"


def test_transfers_without_a_correlation_are_left_alone(
    s3: Any, bucket: str, instrumented: None
) -> None:
    s3.upload_fileobj(io.BytesIO(b"x"), bucket, "plain")
    assert _metadata(s3, bucket, "plain") == {}
