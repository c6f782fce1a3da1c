"""The settings of one event source mapping, with the ranges that Lambda gives them.

Names and ranges follow the Lambda API reference, "CreateEventSourceMapping", and the developer
guide, "Lambda parameters for Amazon Kinesis Data Streams event source mappings" and "Lambda
parameters for Amazon DynamoDB event source mappings".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import SettingsError
from clew.streams.worker.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIM_HORIZON = "TRIM_HORIZON"
LATEST = "LATEST"
AT_TIMESTAMP = "AT_TIMESTAMP"

INFINITE = -1
MAX_FILTERS = 10  # 5, or 10 where the account's quota was raised: "Lambda event filtering"

_ARN = re.compile(
    r"arn:[\w-]+:(?P<service>[\w-]+):(?P<region>[\w-]*):(?P<account>\w*):(?P<resource>.+)"
)
_DESTINATIONS = ("sqs", "sns", "s3")


@dataclass(frozen=True)
class Source:
    """The stream that a mapping reads, taken apart from its ARN."""

    arn: str
    #: "kinesis" or "dynamodb", as in the event's "eventSource".
    service: str
    region: str
    #: The stream's ARN; differs from ``arn`` where that names a consumer with enhanced fan-out.
    stream_arn: str
    #: The stream's name (Kinesis) or the table's (DynamoDB).
    name: str

    @property
    def enhanced_fan_out(self) -> bool:
        """Whether the ARN is that of a registered consumer, to which the stream pushes."""
        return self.arn != self.stream_arn

    @classmethod
    def parse(cls, arn: str) -> Source:
        """Take an ARN apart. Raises `SettingsError` if it names no stream."""
        found = _ARN.fullmatch(arn or "")
        parts = found["resource"].split("/") if found else []
        if found and found["service"] == "kinesis" and len(parts) >= 2 and parts[0] == "stream":
            stream_arn = arn.partition("/consumer/")[0]
            return cls(arn, "kinesis", found["region"], stream_arn, parts[1])
        if found and found["service"] == "dynamodb" and "/stream/" in found["resource"]:
            return cls(arn, "dynamodb", found["region"], arn, parts[1])
        raise SettingsError(
            f"{arn!r} is not the ARN of a Kinesis stream, of one of its consumers or of a "
            "DynamoDB stream; give one like arn:aws:kinesis:REGION:ACCOUNT:stream/NAME."
        )


@dataclass(frozen=True)
class MappingSettings:
    """How a stream is read and given to a function.

    Raises `SettingsError` when one is made with a value that Lambda would not take.

    >>> MappingSettings(
    ...     "arn:aws:kinesis:us-east-1:000000000000:stream/orders", "TRIM_HORIZON", batch_size=500
    ... ).source.name
    'orders'
    """

    source_arn: str
    #: "TRIM_HORIZON", "LATEST" or "AT_TIMESTAMP" (Kinesis alone).
    starting_position: str
    #: Seconds since the epoch; with AT_TIMESTAMP.
    starting_at: float | None = None
    #: Records in an invocation, at most: 1 to 10,000.
    batch_size: int = 100
    #: Seconds to gather records for a full batch: 0 to 300.
    batching_window_s: int = 0
    #: Batches of one shard that are under way side by side: 1 to 10. Keys keep their order.
    parallelization_factor: int = 1
    #: Whether the function's ``batchItemFailures`` are read.
    report_batch_item_failures: bool = False
    #: Whether a batch that failed is split in two.
    bisect_on_error: bool = False
    #: Retries of a batch after the first attempt: 0 to 10,000, or -1 for no limit.
    maximum_retry_attempts: int = INFINITE
    #: Seconds: 60 to 604,800, or -1 for no limit.
    maximum_record_age_s: int = INFINITE
    #: The ARN of an SQS queue, an SNS topic or an S3 bucket for what is given up.
    on_failure_destination: str | None = None
    #: Seconds of a tumbling window: 1 to 900, or 0 for none.
    tumbling_window_s: int = 0
    #: Filter patterns, JSON text each. A record has to match one of them.
    filter_patterns: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        source = self.source
        positions = (TRIM_HORIZON, LATEST, AT_TIMESTAMP)
        if self.starting_position not in positions:
            raise SettingsError(
                f"The starting position has to be one of {', '.join(positions)}, "
                f"not {self.starting_position!r}."
            )
        if self.starting_position == AT_TIMESTAMP and source.service != "kinesis":
            raise SettingsError(
                "A DynamoDB stream cannot be read from a point in time; "
                "start at TRIM_HORIZON or LATEST."
            )
        if (self.starting_position == AT_TIMESTAMP) != (self.starting_at is not None):
            raise SettingsError(
                "A time to start at and the starting position AT_TIMESTAMP go together; "
                "give both or neither."
            )
        _check_range("The batch size", self.batch_size, 1, 10_000)
        _check_range("The batching window (seconds)", self.batching_window_s, 0, 300)
        _check_range("The parallelization factor", self.parallelization_factor, 1, 10)
        _check_range("The maximum retry attempts", self.maximum_retry_attempts, -1, 10_000)
        _check_range("The tumbling window (seconds)", self.tumbling_window_s, 0, 900)
        if self.maximum_record_age_s != INFINITE:
            # The reference gives -1 as the least, and says that 0 to 59 are not allowed.
            _check_range("The maximum record age (seconds)", self.maximum_record_age_s, 60, 604_800)
        self._check_destination()
        if len(self.filter_patterns) > MAX_FILTERS:
            raise SettingsError(
                f"There are {len(self.filter_patterns)} filters; a mapping takes {MAX_FILTERS}."
            )
        _ = self.filters  # a pattern that is no good is refused here

    @cached_property
    def source(self) -> Source:
        """The stream, from its ARN."""
        return Source.parse(self.source_arn)

    @cached_property
    def filters(self) -> Filters:
        """The filter patterns, ready to be matched."""
        return Filters.compile(self.filter_patterns)

    def _check_destination(self) -> None:
        arn = self.on_failure_destination
        if arn is None:
            return
        found = _ARN.fullmatch(arn)
        if not found or found["service"] not in _DESTINATIONS or arn.endswith(".fifo"):
            raise SettingsError(
                f"The on-failure destination {arn!r} is not the ARN of a standard SQS queue, a "
                "standard SNS topic or an S3 bucket; give one of those."
            )

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> MappingSettings:
        """Read the properties of ``AWS::Lambda::EventSourceMapping``.

        The parameters of ``CreateEventSourceMapping`` and what ``GetEventSourceMapping`` answers
        have the same names. References have to be resolved. Raises `SettingsError`.
        """
        from clew.streams.worker.properties import read_properties

        return cls(**read_properties(properties))


def _check_range(what: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingsError(f"{what} has to be from {least} to {most:,}, not {value!r}.")
