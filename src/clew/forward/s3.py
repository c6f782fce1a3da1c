"""S3: the fields as the object's own metadata, one each."""

from __future__ import annotations

from clew import wire
from clew.forward.limits import S3_METADATA, length
from clew.forward.sending import answered, goes_untouched, new_sent, take_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _stamp(operation: str, params: dict[str, Any], correlation: Correlation) -> list[Sent]:
    target = f"s3://{params['Bucket']}/{params['Key']}"
    sent = new_sent("s3", operation, target, correlation)
    own = params.get("Metadata") or {}
    names = {name.lower() for name in own}  # S3 makes them lower case
    fields = sent.correlation.outgoing(sent.span_id)
    if wire.TRACEPARENT in names:
        take_over(sent, [*fields.items(), *((name.lower(), value) for name, value in own.items())])
        return [sent]
    more = {name: value for name, value in fields.items() if name not in names}
    metadata = {**own, **more}
    if _size(metadata) > S3_METADATA and wire.BAGGAGE in more:
        del metadata[wire.BAGGAGE]
    if _size(metadata) > S3_METADATA:
        goes_untouched(sent, "the object's metadata would pass the service's limit of its size")
    else:
        params["Metadata"] = metadata
        if wire.ID in names:
            take_over(sent, metadata.items())
    return [sent]


def _size(metadata: dict[str, str]) -> int:
    return sum(length(name) + length(value) for name, value in metadata.items())


class PutObject:
    """``PutObject``."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One object."""
        return _stamp("PutObject", params, correlation)

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note the version, in a bucket that keeps versions."""
        version = parsed.get("VersionId")
        for one in sent:
            answered(one, {"versionId": version} if version else {})


class CreateMultipartUpload:
    """``CreateMultipartUpload``: what the parts become has its metadata."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One object."""
        return _stamp("CreateMultipartUpload", params, correlation)

    answered = PutObject.answered


class CopyObject:
    """``CopyObject`` where it replaces the metadata; else the copy has that of its source."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """One object."""
        if params.get("MetadataDirective") != "REPLACE":
            return []
        return _stamp("CopyObject", params, correlation)

    answered = PutObject.answered


OPERATIONS = {
    "CopyObject": CopyObject,
    "CreateMultipartUpload": CreateMultipartUpload,
    "PutObject": PutObject,
}
