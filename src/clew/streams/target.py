"""Where dead letters go: an SQS queue, an SNS topic, or a place in an S3 bucket."""

from __future__ import annotations

from clew.errors import ClewError


class Target:
    """One queue, topic or place in a bucket; a frozen value.

    ``service`` is ``"sqs"``, ``"sns"`` or ``"s3"``; ``address`` is what the service's API takes
    (the queue's URL, the topic's ARN, the bucket's name); ``prefix`` begins the names of objects;
    ``region`` is "" where the target does not say.
    """

    __slots__ = ("address", "is_fifo", "prefix", "region", "service", "written")

    service: str
    address: str
    region: str
    prefix: str
    written: str
    is_fifo: bool

    def __init__(
        self, service: str, address: str, written: str, *, region: str = "", prefix: str = ""
    ) -> None:
        values = (address, address.endswith(".fifo"), prefix, region, service, written)
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        message = "a target cannot be changed; make another one"
        raise AttributeError(message)

    def __repr__(self) -> str:
        return repr(self.written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self.written == other.written

    def __hash__(self) -> int:
        return hash(self.written)


def parse(
    written: object, *, only_s3: bool = False, name: str = "a dead letter's target"
) -> Target:
    """The target that a user wrote. Raises `ClewError` for what is none."""
    found = None
    if isinstance(written, str):
        if written.startswith("s3://"):
            found = _bucket(written)
        elif written.startswith("arn:"):
            found = _arn(written)
        elif written.startswith(("https://", "http://")):
            found = _queue_url(written)
    if found is not None and (found.service == "s3" or not only_s3):
        return found
    wanted = (
        "s3://bucket/prefix"
        if only_s3
        else "the URL or ARN of an SQS queue, the ARN of an SNS topic, or s3://bucket/prefix"
    )
    empty = " (is the environment variable that it comes from set?)" if not written else ""
    message = f"{name} has to be {wanted}, not {written!r}{empty}."
    raise ClewError(message)


def _arn(written: str) -> Target | None:
    parts = written.split(":", 5)
    if len(parts) != 6:
        return None
    _, partition, service, region, account, name = parts
    if service == "sqs" and region and account and _is_name(name):
        url = queue_url(written)
        return Target("sqs", url, written, region=region)
    if service == "sns" and region and account and _is_name(name):
        return Target("sns", written, written, region=region)
    if service == "s3" and partition and not region and name:
        bucket, _, prefix = name.partition("/")
        return Target("s3", bucket, written, prefix=_folder(prefix))
    return None


def queue_url(arn: str) -> str:
    """The URL of the queue that an ARN names; "" where it names none.

    To ask SQS for it takes a permission that a sender seldom has (SQS developer guide, "Queue and
    message identifiers": the form of the URL).
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "sqs":
        return ""
    _, partition, _, region, account, name = parts
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{region}.{suffix}/{account}/{name}"


def _queue_url(written: str) -> Target | None:
    """``https://sqs.eu-west-1.amazonaws.com/123456789012/name``, or another host's.

    AWS General Reference, "Amazon SQS endpoints and quotas": also ``sqs-fips.REGION``,
    ``REGION.queue`` (legacy), and ``vpce-ID.sqs.REGION.vpce`` of a VPC endpoint.
    """
    _, _, rest = written.partition("://")
    host, *path = rest.split("/")
    if len(path) != 2 or not path[0].isdecimal() or not _is_name(path[1]):
        return None
    return Target("sqs", written, written, region=_region_in(host))


def _is_name(name: str) -> bool:
    """Whether a queue or a topic may be called so (their API references, "Create…").

    A line break behind it, as a file has one, would fail at the first dead letter only.
    """
    plain = name.removesuffix(".fifo").replace("-", "a").replace("_", "a")
    return plain.isascii() and plain.isalnum()


def _region_in(host: str) -> str:
    """The region that a host of SQS is in; "" where it does not say."""
    labels = host.partition(":")[0].split(".")
    if "amazonaws" not in labels:
        return ""
    for at, label in enumerate(labels[:-1]):
        if label in ("sqs", "sqs-fips"):
            return labels[at + 1] if labels[at + 1] != "amazonaws" else ""
        if label == "queue" and at == 1:
            return labels[0]
    return ""


def _bucket(written: str) -> Target | None:
    bucket, _, prefix = written.removeprefix("s3://").partition("/")
    # S3 user guide, "General purpose bucket naming rules".
    if not 3 <= len(bucket) <= 63 or bucket.strip("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        return None
    return Target("s3", bucket, written, prefix=_folder(prefix))


def _folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
